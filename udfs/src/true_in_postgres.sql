date_trunc('decade', TIMESTAMP '2024-03-05 14:07:09') = TIMESTAMP '2020-01-01'
date_trunc('week', TIMESTAMP '2024-03-05 14:07:09') = TIMESTAMP '2024-03-04'
date_trunc('day', TIMESTAMPTZ '2024-03-05 14:07:09Z', 'Australia/Sydney') = TIMESTAMPTZ '2024-03-05 13:00:00Z'
date_trunc('month', DATE '2024-03-05') = DATE '2024-03-01'
extract(epoch from TIMESTAMP '2024-03-05 14:07:09.5') = 1709647629.5::double precision
extract(epoch from TIMESTAMPTZ '2024-03-05 14:07:09.5Z') = 1709647629.5::double precision
extract(epoch from INTERVAL '1 day 1.5 seconds') = 86401.5::double precision
extract(epoch from DATE '2024-03-05') = 1709596800
extract(isodow from DATE '2024-03-03') = 7
extract(dow from DATE '2024-03-03') = 0
extract(isoyear from DATE '2021-01-03') = 2020
extract(week from DATE '2021-01-03') = 53
extract(doy from TIMESTAMP '2024-12-31') = 366
extract(year from TIMESTAMP '2024-12-31') = 2024
date_part('quarter', TIMESTAMP '2024-12-31') = 4
date_part('hour', INTERVAL '25 hours') = 25
timezone('Europe/Paris', TIMESTAMPTZ '2024-07-01 12:00:00Z') = TIMESTAMP '2024-07-01 14:00:00'
timezone('Europe/Paris', TIMESTAMP '2024-07-01 14:00:00') = TIMESTAMPTZ '2024-07-01 12:00:00Z'
to_char(TIMESTAMP '2024-03-05 14:07:09', 'DD Mon YYYY HH24:MI') = '05 Mar 2024 14:07'
to_char(DATE '2024-03-05', 'FMDay') = 'Tuesday'
to_char(1234.5, 'FM9,999.00') = '1,234.50'
to_char(42, '000') = ' 042'
to_char(2.5::double precision, '99D9') = '  2.5'
to_char(INTERVAL '15h 2m 12s', 'HH24:MI:SS') = '15:02:12'
to_date('05 Mar 2024', 'DD Mon YYYY') = DATE '2024-03-05'
to_timestamp('2024-03-05 14:07', 'YYYY-MM-DD HH24:MI') = TIMESTAMPTZ '2024-03-05 14:07:00Z'
to_timestamp(1709647629) = TIMESTAMPTZ '2024-03-05 14:07:09Z'
to_timestamp(1709647629.25) = TIMESTAMPTZ '2024-03-05 14:07:09.25Z'
age(TIMESTAMP '2024-03-31', TIMESTAMP '2024-02-29') = INTERVAL '1 mon 2 days'
make_date(2024, 2, 29) = DATE '2024-02-29'
make_timestamp(2024, 3, 5, 14, 7, 9.5) = TIMESTAMP '2024-03-05 14:07:09.5'
date_bin('15 min', TIMESTAMP '2020-02-11 15:44:17', TIMESTAMP '2001-01-01') = TIMESTAMP '2020-02-11 15:30:00'
date_bin(INTERVAL '15 min', TIMESTAMP '2020-02-11 15:44:17', TIMESTAMP '2001-01-01') = TIMESTAMP '2020-02-11 15:30:00'
isfinite(DATE '2024-03-05')
justify_days(INTERVAL '35 days') = INTERVAL '1 mon 5 days'
format('%s is %I = %L', 'x', 'Col', 'it''s') = 'x is "Col" = ''it''''s'''
quote_ident('Foo') || quote_literal('a') || quote_nullable(NULL) = '"Foo"''a''NULL'
array_length(string_to_array('a,b,,c', ','), 1) = 4
array_to_string(string_to_array('a,b', ','), '-') = 'a-b'
(string_to_array('a,b', ','))[2] = 'b'
array_to_string(ARRAY['a', NULL, 'c'], ',') = 'a,c'
array_to_string(ARRAY['a', NULL, 'c'], ',', '*') = 'a,*,c'
array_upper(ARRAY[1, 2, 3], 1) = 3
array_dims(ARRAY[1, 2, 3]) = '[1:3]'
cardinality(ARRAY[1, 2, 3]) = 3
array_to_string(parse_ident('"Some".Thing'), '/') = 'Some/thing'
pg_size_pretty(10485760::bigint) = '10 MB'
split_part('a,b,c', ',', -1) = 'c'
left('abc', -1) || right('abc', -1) = 'abbc'
lpad('7', 3, '0') || rpad('7', 3) = '0077  '
translate('12345', '143', 'ax') = 'a2x5'
initcap('hello wORLD-foo') = 'Hello World-Foo'
strpos('abcde', 'cd') = 3 AND position('cd' in 'abcde') = 3
concat('a', NULL, 1) = 'a1'
concat_ws(',', 'a', NULL, 'b') = 'a,b'
starts_with('abc', 'ab')
trim(both 'x' from 'xxaxx') = 'a' AND btrim(' a ') = 'a' AND ltrim(' a') = 'a'
to_hex(255) = 'ff'
md5('a') = '0cc175b9c0f1b6a831c399e269772661'
encode(decode('616263', 'hex'), 'base64') = 'YWJj'
round(2.5::double precision) = 2 AND round(3.5::double precision) = 4
round(2.5) = 3 AND round(2.567, 1) = 2.6 AND round(-2.5) = -3
round(2.567, 2)::text = '2.57'
trunc(2.567, 2)::text = '2.56'
trunc(-2.5::double precision) = -2
ceil(2.1) = 3 AND floor(-2.1) = -3
mod(-7, 2) = -1 AND div(-7, 2) = -3
sign(-2.5) = -1
sqrt(16) = 4 AND power(2, 10) = 1024 AND abs(cbrt(27) - 3) < 0.0001
abs(ln(10) - 2.302585) < 0.00001 AND log(100) = 2 AND log(2, 8) = 3
gcd(12, 18) = 6 AND lcm(12, 18) = 36
factorial(20) = 2432902008176640000
width_bucket(5.35, 0.024, 10.06, 5) = 3
abs(pi() - 3.14159265) < 0.0000001
pg_client_encoding() = 'UTF8' AND NOT pg_is_in_recovery()
length(gen_random_uuid()::text) = 36
overlaps(DATE '2001-02-16', DATE '2001-12-21', DATE '2001-10-30', DATE '2002-10-30')
(SELECT every(v > 0) FROM (VALUES (1), (2)) AS t(v))
(SELECT bool_or(v > 1) FROM (VALUES (1), (2)) AS t(v))
(SELECT string_agg(v, ',' ORDER BY v DESC) FROM (VALUES ('a'), ('b')) AS t(v)) = 'b,a'
(SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY v) FROM (VALUES (1), (2), (4)) AS t(v)) = 2
repeat('ab', 2) = 'abab'
chr(233) = 'é' AND ascii('é') = 233
substr('abcdef', 0, 3) = 'ab' AND substring('abcdef' from 2 for 3) = 'bcd'
coalesce(nullif('a', 'a'), 'b') = 'b'
greatest(1, NULL, 3) = 3 AND least(2, NULL) = 2
