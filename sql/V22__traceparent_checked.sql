-- Alone, since it reads the whole table: under a lock that lets others read and write.
alter table imagen.jobs validate constraint jobs_traceparent_format;
