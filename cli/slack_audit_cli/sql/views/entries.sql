-- The entries of the log: which pass read which seconds, and the batch that holds what it found.
SELECT
  TRY_CAST(json_extract_scalar(entry, '$.number') AS bigint) AS number,
  json_extract_scalar(entry, '$.pass') AS pass,
  TRY_CAST(json_extract_scalar(entry, '$.window.lo') AS bigint) AS lo,
  TRY_CAST(json_extract_scalar(entry, '$.window.hi') AS bigint) AS hi,
  json_extract_scalar(entry, '$.key') AS key,
  TRY_CAST(json_extract_scalar(entry, '$.count') AS bigint) AS event_count,
  TRY_CAST(json_extract_scalar(entry, '$.bytes') AS bigint) AS bytes,
  json_extract_scalar(entry, '$.sha256') AS sha256,
  json_extract_scalar(entry, '$.previous') AS previous,
  json_extract_scalar(entry, '$.version') AS version,
  TRY(CAST(from_iso8601_timestamp(json_extract_scalar(entry, '$.time')) AS timestamp(3))) AS time,
  entry,
  org,
  "$path" AS object
FROM log
