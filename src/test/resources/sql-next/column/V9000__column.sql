alter table imagen.jobs add column next int;
