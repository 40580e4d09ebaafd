-- Ids that begin with the time stand together in every index that has them. A random one may be on any page, which is
-- written whole when it is first touched after a checkpoint. Servers before 18 cannot make them: what inserts no id of
-- its own has a random one there. One table at a time: whoever waits for one of them should not keep the others.
do $$
begin
    if current_setting('server_version_num')::int >= 180000 then
        alter table imagen.jobs alter id set default uuidv7();
    end if;
end
$$;
