-- Apps installed, approved, restricted or removed, and apps that got more scopes.
SELECT
  time,
  org,
  action,
  actor_name,
  actor_email,
  entity_name AS app,
  entity_id AS app_id,
  json_format(json_extract(details, '$.new_scopes')) AS new_scopes,
  json_format(json_extract(details, '$.previous_scopes')) AS previous_scopes,
  ip_address,
  details,
  id
FROM events
WHERE dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
  AND action IN (
    'app_installed', 'app_uninstalled', 'app_approved', 'app_restricted', 'app_removed_from_whitelist', 'app_deleted',
    'app_deployed', 'app_scopes_expanded', 'app_resources_granted', 'bot_token_upgraded', 'bot_token_downgraded',
    'cli_app_install', 'child_app_auto_installed', 'org_app_installed', 'org_app_uninstalled',
    'org_app_upgraded_to_org_install', 'org_app_future_workspace_install_enabled',
    'org_app_future_workspace_install_disabled', 'app_allowlist_scopes_rating_updated'
  )
ORDER BY time DESC
