"""Renders the courtyard example: scenes, sounds, copies, exports and the truth file.

Everything made here is synthetic. Run it from the repository root with
``python -m examples.courtyard.render``; the modules, in the order they depend on each other:

``place``       where and when, and the sun there (pvlib)
``geometry``    camera, projection, rays against boxes, cylinders, capsules (metres)
``surfaces``    seeded noise and the colours of ground, plaster and doors
``scene``       the courtyard; ``other_scenes`` the market, quay and field that are not it
``people``      plain figures that always move
``frames``      pictures from a scene, the figures and a camera that moves a little
``sound``       spoken phrase, knocks, door, room tone
``media``       encode and decode with PyAV
``transforms``  what reposting does to pictures and sound
``clips``       which clips exist and how each is made
``posts``       the invented channels and their posts; ``telegram`` writes the exports
``statements``  records, conflicts and origins; ``said_articles``, ``said_statements`` the spans
``truth``       the truth file; ``truth_scene`` its geometry
"""
