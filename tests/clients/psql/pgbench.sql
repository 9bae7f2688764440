\set x random(1, 1000)
BEGIN;
SELECT :x + 1 AS next, now() AS at;
SELECT count(*) FROM climate.global_temp WHERE year < 1900 + :x;
COMMIT;
