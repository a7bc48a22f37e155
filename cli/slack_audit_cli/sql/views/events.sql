-- Slack's events with the fields that all of them share; what cannot be read is NULL, and the line stands in event.
SELECT
  json_extract_scalar(event, '$.id') AS id,
  TRY_CAST(json_extract_scalar(event, '$.date_create') AS bigint) AS date_create,
  TRY(CAST(from_unixtime(TRY_CAST(json_extract_scalar(event, '$.date_create') AS bigint)) AS timestamp(3))) AS time,
  json_extract_scalar(event, '$.action') AS action,
  json_extract_scalar(event, '$.actor.type') AS actor_type,
  json_extract_scalar(event, '$.actor.user.id') AS actor_id,
  json_extract_scalar(event, '$.actor.user.name') AS actor_name,
  json_extract_scalar(event, '$.actor.user.email') AS actor_email,
  json_extract_scalar(event, '$.entity.type') AS entity_type,
  COALESCE(
    json_extract_scalar(entity, '$.id'),
    json_extract_scalar(entity, '$.channel')
  ) AS entity_id,
  COALESCE(
    NULLIF(json_extract_scalar(entity, '$.name'), ''),
    NULLIF(json_extract_scalar(entity, '$.title'), ''),
    NULLIF(json_extract_scalar(entity, '$.email'), ''),
    NULLIF(json_extract_scalar(entity, '$.domain'), '')
  ) AS entity_name,
  json_extract_scalar(event, '$.context.location.type') AS location_type,
  json_extract_scalar(event, '$.context.location.id') AS location_id,
  json_extract_scalar(event, '$.context.location.name') AS location_name,
  json_extract_scalar(event, '$.context.ip_address') AS ip_address,
  json_extract_scalar(event, '$.context.ua') AS user_agent,
  json_extract_scalar(event, '$.context.session_id') AS session_id,
  json_extract_scalar(event, '$.context.app.id') AS app_id,
  json_extract_scalar(event, '$.context.app.name') AS app_name,
  json_format(json_extract(event, '$.details')) AS details,
  event,
  org,
  dt,
  object
FROM (
  SELECT
    event,
    org,
    dt,
    "$path" AS object,
    element_at(
      TRY(CAST(json_extract(event, '$.entity') AS map(varchar, json))),
      json_extract_scalar(event, '$.entity.type')
    ) AS entity
  FROM raw
)
