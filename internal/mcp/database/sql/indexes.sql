SELECT schemaname AS schema, tablename AS "table", indexname AS name, indexdef AS definition
  FROM pg_indexes
 WHERE CASE WHEN $1::text = '' THEN schemaname <> 'information_schema' AND schemaname NOT LIKE 'pg\_%' ELSE schemaname = $1 END
   AND ($2::text = '' OR tablename = $2)
 ORDER BY schemaname, tablename, indexname
