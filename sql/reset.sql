-- What can be forgotten; that it is, is in test/t/013_counting.pl.
CREATE EXTENSION pool_advisor;

SELECT pool_advisor.reset('counters');
SELECT pool_advisor.reset('history');
SELECT pool_advisor.reset('incidents');
SELECT pool_advisor.reset('scalability');
SELECT pool_advisor.reset();
SELECT pool_advisor.reset('');
SELECT pool_advisor.reset('everything');
SELECT pool_advisor.reset('ALL');
SELECT pool_advisor.reset('Scalability');
SELECT pool_advisor.reset(NULL);

DROP EXTENSION pool_advisor;
