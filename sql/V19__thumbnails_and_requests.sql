-- Small pictures of images, made when one is first asked for. Only the service writes them: what an owner could insert
-- would be shown as a picture of the image.
create table imagen.thumbnails (
    image_id   uuid primary key references imagen.images on delete cascade,
    jpeg       bytea not null,
    created_at timestamptz not null default now()
);
-- A JPEG: it would not get any smaller.
alter table imagen.thumbnails alter column jpeg set storage external;

grant select on imagen.thumbnails to authenticated;
grant select, insert, delete on imagen.thumbnails to service_role;

create trigger refuse_truncate before truncate on imagen.thumbnails
    for each statement execute function imagen.refuse_truncate();

alter table imagen.thumbnails enable row level security;
-- A thumbnail is visible through its image: the inner query obeys the policies of images.
create policy thumbnails_owner_select on imagen.thumbnails for select to authenticated
    using (exists (select from imagen.images i where i.id = image_id));
-- The service reads and writes all thumbnails.
create policy thumbnails_service on imagen.thumbnails to service_role using (true) with check (true);

-- What the job of an image asked for, as its client wrote it: the job may be removed before its images are. Null where
-- there was none.
alter table imagen.images add column request jsonb;
