-- two lines
SELECT * FORM t;
