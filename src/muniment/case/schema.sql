CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE entry (
  idx INTEGER PRIMARY KEY, kind TEXT, author TEXT, at_utc TEXT, leaf TEXT
);
CREATE TABLE reference (object TEXT PRIMARY KEY, idx INTEGER) WITHOUT ROWID;
CREATE TABLE kept (idx INTEGER, field TEXT, object TEXT, PRIMARY KEY (idx, field)) WITHOUT ROWID;
CREATE TABLE key (idx INTEGER PRIMARY KEY, id TEXT, role TEXT, name TEXT);
CREATE TABLE acquisition (
  idx INTEGER PRIMARY KEY, leaf TEXT, source_path TEXT, source_kind TEXT, stated_source TEXT,
  collector TEXT, why TEXT, attempted INTEGER, tool TEXT, tool_version TEXT, set_back_s TEXT,
  resumes TEXT, started_utc TEXT, finished_utc TEXT, outcome TEXT, counts TEXT, reason TEXT
);
CREATE TABLE item (
  idx INTEGER PRIMARY KEY, acquisition TEXT, object TEXT, size_bytes INTEGER, path TEXT,
  raw_hex TEXT, outcome TEXT, by_content TEXT, by_name TEXT, mismatch INTEGER, tool TEXT,
  modified_utc TEXT, at_utc TEXT
);
CREATE TABLE miss (
  idx INTEGER PRIMARY KEY, acquisition TEXT, path TEXT, outcome TEXT, reason TEXT, remedy TEXT
);
CREATE TABLE post (
  idx INTEGER PRIMARY KEY, leaf TEXT, acquisition TEXT, export TEXT, start_byte INTEGER,
  end_byte INTEGER, channel_name TEXT, channel_id TEXT, channel_type TEXT, ordinal INTEGER,
  post_id TEXT, kind TEXT, action TEXT, author TEXT, earliest_utc TEXT, latest_utc TEXT,
  time_basis TEXT, edited TEXT, text TEXT, media TEXT, forwarded_from TEXT, reply_to TEXT,
  album_of TEXT
);
CREATE TABLE observation (
  idx INTEGER PRIMARY KEY, leaf TEXT, object TEXT, step TEXT, step_version TEXT, parameters TEXT,
  status TEXT, outcome TEXT, result TEXT, derived TEXT, tool TEXT
);
CREATE TABLE decision (
  idx INTEGER PRIMARY KEY, leaf TEXT, a TEXT, b TEXT, decision TEXT, because TEXT, by TEXT,
  at_utc TEXT
);
CREATE TABLE event (idx INTEGER PRIMARY KEY, at_utc TEXT, kind TEXT, details TEXT);
CREATE TABLE erased (object TEXT PRIMARY KEY, idx INTEGER) WITHOUT ROWID;
CREATE INDEX item_object ON item (object);
CREATE INDEX item_acquisition ON item (acquisition);
CREATE INDEX post_export ON post (export);
CREATE INDEX observation_object ON observation (object, step);
CREATE INDEX entry_leaf ON entry (leaf);
