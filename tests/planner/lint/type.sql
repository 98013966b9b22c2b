--! each type/json
CREATE TABLE n (j json);
ALTER TABLE t ADD COLUMN j json;
CREATE TABLE n (j json[]);
--! each safe
CREATE TABLE n (j jsonb);
ALTER TABLE t ADD COLUMN j jsonb;

--! each type/small-key
CREATE TABLE n (id int PRIMARY KEY);
CREATE TABLE n (id int GENERATED ALWAYS AS IDENTITY);
CREATE TABLE n (id smallint, PRIMARY KEY (id));
--! each type/serial type/small-key
CREATE TABLE n (id serial PRIMARY KEY);
CREATE TABLE n (id smallserial);
--! each type/serial
CREATE TABLE n (id bigserial PRIMARY KEY);
--! each safe
CREATE TABLE n (id bigint PRIMARY KEY);
CREATE TABLE n (id uuid PRIMARY KEY);
CREATE TABLE n (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE n (a int, n smallint NOT NULL);
CREATE TABLE n (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE n (code text PRIMARY KEY);

--! each type/char
CREATE TABLE n (a char(3));
ALTER TABLE t ADD COLUMN a character(1);
--! each type/money
CREATE TABLE n (a money);
ALTER TABLE t ADD COLUMN a money;
--! each type/timetz
CREATE TABLE n (a time with time zone);
--! each type/timestamp-without-time-zone
CREATE TABLE n (a timestamp);
ALTER TABLE t ADD COLUMN a timestamp without time zone;
--! each type/timestamp-rounds
CREATE TABLE n (a timestamptz(0));
--! each type/timestamp-rounds type/timestamp-without-time-zone
ALTER TABLE t ADD COLUMN a timestamp(0);
--! each safe
CREATE TABLE n (a "char");
CREATE TABLE n (a text);
CREATE TABLE n (a varchar(20));
CREATE TABLE n (a numeric(12, 2));
CREATE TABLE n (a timestamptz);
CREATE TABLE n (a timestamptz(3));
CREATE TABLE n (a timestamp with time zone NOT NULL DEFAULT now());
CREATE TABLE n (a time, b date, c interval);
SELECT '2026-01-01'::timestamp;
SELECT a::json FROM t;

--! each name/too-long
CREATE TABLE n_23456789_123456789_123456789_123456789_123456789_123456789_1234 (a int);
ALTER TABLE t ADD COLUMN "n 23456789 123456789 123456789 123456789 123456789 123456789 1234" int;
CREATE INDEX CONCURRENTLY n_23456789_123456789_123456789_123456789_123456789_123456789_1234 ON t (a);
--! each safe
CREATE TABLE n_23456789_123456789_123456789_123456789_123456789_123456789_12 (a int);
COMMENT ON TABLE t IS 'a text may be longer than sixty-three bytes, for it is no name of anything';
SELECT 1 AS n; -- a comment may be longer than sixty-three bytes: it_is_a_comment_and_no_name_of_anything_at_all_here
SELECT E'a_text_with_an_escape_and_without_blanks_that_is_longer_than_sixty_three_bytes';
DO $a$ BEGIN RAISE NOTICE 'a_text_with_an_escape_and_without_blanks_that_is_longer_than_63'; END $a$;
