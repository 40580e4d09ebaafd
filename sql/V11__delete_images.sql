-- An owner sees no image of theirs that is deleted; the service does, for it has to remove it.
alter policy images_owner_select on imagen.images
    using (owner_user_id = (select auth.uid()) and deleted_at is null);

-- When the removal of a deleted image's bytes began: from then on nobody brings it back, by whatever way and clock.
alter table imagen.images add column removing_at timestamptz;
alter table imagen.images
    add constraint images_removing_deleted check (removing_at is null or deleted_at is not null);

-- The image, locked for a change by this caller. Its job is locked first, as where jobs are deleted and images lose
-- their job: the other order would be a deadlock.
create function imagen.changeable_image(image_id uuid) returns imagen.images
language plpgsql set search_path = '' as $$
declare
    image imagen.images;
begin
    perform from imagen.jobs j
      where j.id = (select i.job_id from imagen.images i
                     where i.id = changeable_image.image_id and imagen.may_change(i.owner_user_id))
        for no key update;
    select * into image from imagen.images i
     where i.id = changeable_image.image_id and imagen.may_change(i.owner_user_id)
       for update;
    if not found then
        raise exception 'no such image' using errcode = 'no_data_found';
    end if;
    return image;
end
$$;

-- Deletes an image: nobody sees it any more, and imagen.restore_time() later the upkeep removes it. Deleted again, it
-- keeps its first time. Returns the row.
create function imagen.delete_image(image_id uuid) returns imagen.images
language plpgsql security definer set search_path = '' as $$
declare
    image imagen.images := imagen.changeable_image(image_id);
begin
    if image.deleted_at is null then
        update imagen.images i set deleted_at = clock_timestamp() where i.id = image.id returning * into image;
    end if;
    return image;
end
$$;

-- Brings a deleted image back, for imagen.restore_time() from its deletion on; one that is not deleted stays as it is.
-- Returns the row. The clock is read when the row is locked: by then the upkeep either has marked it, or will skip it.
create function imagen.restore_image(image_id uuid) returns imagen.images
language plpgsql security definer set search_path = '' as $$
declare
    image imagen.images := imagen.changeable_image(image_id);
begin
    if image.removing_at is not null or image.deleted_at < clock_timestamp() - imagen.restore_time() then
        raise exception 'the image was deleted more than % minutes ago: it cannot be restored any more',
            pg_catalog.round(extract(epoch from imagen.restore_time()) / 60)
            using errcode = 'object_not_in_prerequisite_state';
    end if;
    if image.deleted_at is not null then
        update imagen.images i set deleted_at = null where i.id = image.id returning * into image;
    end if;
    return image;
end
$$;

revoke execute on function imagen.changeable_image(uuid), imagen.delete_image(uuid), imagen.restore_image(uuid)
    from public;
grant execute on function imagen.delete_image(uuid), imagen.restore_image(uuid) to authenticated, service_role;
