-- Who became or stopped being owner, admin or member, and every change of roles and permissions.
SELECT
  time,
  org,
  action,
  actor_name,
  actor_email,
  entity_type,
  entity_name,
  entity_id,
  ip_address,
  details,
  id
FROM events
WHERE dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
  AND action IN (
    'owner_transferred', 'org_owner_created', 'service_owner_transferred', 'role_change_to_owner',
    'role_change_to_admin', 'role_change_to_user', 'role_change_to_guest', 'role_assigned', 'role_removed',
    'role_created', 'role_updated', 'role_deleted', 'role_added_to_usergroup', 'role_modified_on_usergroup',
    'role_removed_from_usergroup', 'permissions_assigned', 'permissions_removed'
  )
ORDER BY time DESC
