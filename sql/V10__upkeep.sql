create function imagen.images_deleted() returns trigger
language plpgsql set search_path = '' as $$
begin
    if new.deleted_at is not null then
        update imagen.jobs set image_id = null where image_id = new.id;
    else
        update imagen.jobs set image_id = new.id where id = new.job_id and image_id is null and new.position = 0;
    end if;
    return null;
end
$$;
revoke execute on function imagen.images_deleted() from public;

-- A job names its image only while the image can be seen, whoever deletes or restores it.
create trigger images_deleted after update of deleted_at on imagen.images
    for each row when ((old.deleted_at is null) <> (new.deleted_at is null))
    execute function imagen.images_deleted();
