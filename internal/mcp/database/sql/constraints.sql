SELECT n.nspname AS schema, c.relname AS "table", k.conname AS name,
       CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'f' THEN 'foreign key' WHEN 'u' THEN 'unique' WHEN 'c' THEN 'check'
                      WHEN 'x' THEN 'exclusion' ELSE 'other' END AS kind,
       pg_get_constraintdef(k.oid) AS definition
  FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE CASE WHEN $1::text = '' THEN n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%' ELSE n.nspname = $1 END
   AND ($2::text = '' OR c.relname = $2)
 ORDER BY n.nspname, c.relname, k.conname
