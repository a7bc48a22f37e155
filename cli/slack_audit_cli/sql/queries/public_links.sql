-- Public links to files, and whether they may be made at all.
SELECT
  time,
  org,
  action,
  actor_name,
  actor_email,
  entity_id AS file_id,
  entity_name AS file,
  ip_address,
  user_agent,
  details,
  id
FROM events
WHERE dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
  AND action IN ('file_public_link_created', 'file_public_link_revoked', 'pref.disallow_public_file_urls')
ORDER BY time DESC
