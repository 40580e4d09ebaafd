-- Ids that begin with the time: what is new stands together in each index that has them, where random ones touch, and
-- after each checkpoint write in full, a page of millions of rows for every row. Servers before 18 cannot make them; the
-- service makes its own everywhere.
do $$
begin
    if current_setting('server_version_num')::int >= 180000 then
        alter table imagen.jobs alter id set default uuidv7();
        alter table imagen.images alter id set default uuidv7();
        alter table imagen.usage alter id set default uuidv7();
    end if;
end
$$;
