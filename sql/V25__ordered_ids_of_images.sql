-- As those of jobs.
do $$
begin
    if current_setting('server_version_num')::int >= 180000 then
        alter table imagen.images alter id set default uuidv7();
    end if;
end
$$;
