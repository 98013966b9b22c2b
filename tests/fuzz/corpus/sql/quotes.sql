CREATE TABLE a (b text DEFAULT ';');
DO $x$ BEGIN PERFORM 1; UPDATE a SET b = 'c' LIMIT 3; END $x$;
INSERT INTO a VALUES (E'\';', $$;$$, U&'d\0061t') -- ; comment
;/* ; /* nested ; */ */ SELECT 1;;