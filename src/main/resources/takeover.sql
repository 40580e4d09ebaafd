-- Copies the rows of a former schema, which is imagen_before by now, into the migrated one: columns by their names, those
-- that the former tables lack by their defaults. A row that today's schema refuses stays where it is and is told of in
-- imagen_before.left_behind. Runs in one transaction; whoever sees that table sees all of it done.
do $$
declare
    former      record;
    given       jsonb;
    new_job     imagen.jobs;
    taken_job   imagen.jobs;
    new_image   imagen.images;
    taken_image imagen.images;
begin
    -- Times without a zone are taken for UTC.
    set local timezone = 'UTC';
    create table imagen_before.left_behind (of_table text not null, row_id text, reason text not null);
    alter table imagen_before.left_behind enable row level security;

    -- These rows are no new ones: neither limits nor events are for them, and their times stay.
    alter table imagen.jobs disable trigger user;
    insert into imagen.jobs (owner_user_id, prompt) values (gen_random_uuid(), 'the defaults') returning * into new_job;
    delete from imagen.jobs where id = new_job.id;
    new_job.id := null;
    new_job.owner_user_id := null;
    new_job.prompt := null;

    for former in select * from imagen_before.jobs loop
        begin
            -- Many programs write '' where they have nothing.
            given := (select jsonb_object_agg(key, value) from jsonb_each(to_jsonb(former))
                       where value not in ('null', '""')
                         and key not in ('worker_id', 'version', 'request_hash', 'image_id', 'images'));
            taken_job := jsonb_populate_record(new_job, given);
            taken_job.status := case given ->> 'status' when 'running' then 'pending' else given ->> 'status' end;
            taken_job.run_at := coalesce((given ->> 'run_at')::timestamptz, taken_job.created_at);
            if taken_job.status = 'pending' then
                taken_job.started_at := null;
                taken_job.completed_at := null;
            else
                taken_job.completed_at := coalesce(taken_job.completed_at, (given ->> 'updated_at')::timestamptz,
                                                   taken_job.started_at, taken_job.created_at);
            end if;
            taken_job.updated_at := coalesce((given ->> 'updated_at')::timestamptz, taken_job.completed_at,
                                             taken_job.created_at);
            insert into imagen.jobs select taken_job.*;
        exception
            when integrity_constraint_violation or data_exception then
                insert into imagen_before.left_behind values ('jobs', to_jsonb(former) ->> 'id', sqlerrm);
        end;
    end loop;

    if to_regclass('imagen_before.images') is not null then
        insert into imagen.images (owner_user_id, bucket, path, mime_type, width, height, byte_size, sha256)
        values (gen_random_uuid(), '', '', '', 0, 0, 0, '') returning * into new_image;
        delete from imagen.images where id = new_image.id;
        -- Of these only what a row says itself.
        new_image := jsonb_populate_record(new_image, '{"id": null, "owner_user_id": null, "bucket": null, "path": null,
            "mime_type": null, "width": null, "height": null, "byte_size": null, "sha256": null}');
        for former in select * from imagen_before.images loop
            begin
                given := (select jsonb_object_agg(key, value) from jsonb_each(to_jsonb(former))
                           where value not in ('null', '""'));
                taken_image := jsonb_populate_record(new_image, given - 'job_id'
                    || jsonb_build_object('job_id', (select j.id from imagen.jobs j
                                                      where j.id::text = given ->> 'job_id'
                                                        and j.owner_user_id::text = given ->> 'owner_user_id'
                                                        and j.status = 'done')));
                insert into imagen.images select taken_image.*;
            exception
                when integrity_constraint_violation or data_exception then
                    insert into imagen_before.left_behind values ('images', to_jsonb(former) ->> 'id', sqlerrm);
            end;
        end loop;

        -- Where only the job named its image.
        update imagen.images i set job_id = j.id
          from imagen_before.jobs b join imagen.jobs j on j.id::text = to_jsonb(b) ->> 'id'
         where i.id::text = to_jsonb(b) ->> 'image_id' and i.job_id is null and i.owner_user_id = j.owner_user_id
           and j.status = 'done'
           and not exists (select from imagen.images other where other.job_id = j.id and other.position = i.position);
        update imagen.jobs j
           set images = array(select i.id from imagen.images i where i.job_id = j.id order by i.position),
               image_id = (select i.id from imagen.images i where i.job_id = j.id and i.deleted_at is null
                            order by i.position limit 1)
         where exists (select from imagen.images i where i.job_id = j.id);
    end if;

    alter table imagen.jobs enable trigger user;
    perform pg_notify('imagen_jobs', '');
end
$$;
