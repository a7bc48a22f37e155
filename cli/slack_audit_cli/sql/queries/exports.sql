-- Exports of messages, channels, users, analytics, settings and of the audit log itself.
SELECT time, org, action, actor_name, actor_email, ip_address, entity_type, entity_name, location_name, details, id
FROM events
WHERE dt >= date_format(current_date - INTERVAL '7' DAY, '%Y-%m-%d')
  AND (
    regexp_like(action, '_export_([a-z]+_)?(started|prepared|completed|downloaded|deleted|created|upserted)$')
    OR regexp_like(action, '^export_')
    OR action IN (
      'corporate_exports_approved', 'corporate_exports_enabled', 'organization_channel_audit_export_enabled',
      'workspace_channel_audit_export_enabled', 'child_app_manifest_exported'
    )
  )
ORDER BY time DESC
