-- As those of jobs.
do $$
begin
    if current_setting('server_version_num')::int >= 180000 then
        alter table imagen.usage alter id set default uuidv7();
    end if;
end
$$;
