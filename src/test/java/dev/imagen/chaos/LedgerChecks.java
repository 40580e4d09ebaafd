package dev.imagen.chaos;

import java.util.List;

/** What must be true of every job's story, each as a query for the rows of which it is not. */
final class LedgerChecks {

    /** @param offenders rows that break the rule; one column is {@code job_id} */
    record Check(String rule, String offenders) {}

    static final List<Check> ALL = List.of(new Check("every job has come to its end", """
            select id as job_id, status, attempt, failures, worker_id, error from imagen.jobs
             where status not in ('done', 'failed', 'cancelled')"""),
            new Check("a done job has one image, the one that it names",
                    """
                            select j.id as job_id, j.image_id, (select count(*) from imagen.images i where i.job_id = j.id) as images
                              from imagen.jobs j
                             where j.status = 'done'
                               and (select array_agg(i.id) from imagen.images i where i.job_id = j.id)
                                   is distinct from array[j.image_id]"""),
            new Check("an image belongs to a done job", """
                    select i.job_id, i.id as image_id, j.status
                      from imagen.images i left join imagen.jobs j on j.id = i.job_id
                     where j.status is distinct from 'done'"""),
            new Check("an image's file is that of the attempt that was done", """
                    select j.id as job_id, j.attempt, i.path
                      from imagen.images i join imagen.jobs j on j.id = i.job_id
                     where i.path not like '%' || j.id || '-' || j.attempt || '.png'"""),
            new Check("what a done job cost is recorded", """
                    select j.id as job_id, j.attempt from imagen.jobs j
                     where j.status = 'done' and not exists (select from imagen.usage u
                                                              where u.job_id = j.id and u.attempt = j.attempt
                                                                and u.outcome = 'done')"""),
            new Check("each attempt that ended is kept, with how it ended", """
                    select coalesce(m.job_id, a.job_id) as job_id, m.kind, m.new_status, m.old_worker, a.*
                      from (select * from ledger.story where old_status = 'running') m
                      full join imagen.job_attempts a on a.job_id = m.job_id and a.attempt = m.old_attempt
                     where a.worker_id is distinct from m.old_worker
                        or not coalesce(a.outcome = any (case when m.kind = 'rescue' then array['rescued']
                                                              when m.new_failures > m.old_failures then array['failed']
                                                              when m.new_status = 'pending' then array['handed_back']
                                                              when m.new_status = 'cancelled'
                                                                   then array['cancelled', 'handed_back']
                                                              else array[m.new_status] end), false)"""),
            new Check("the ledger knows each job as it is", """
                    select j.id as job_id, j.status, j.attempt, j.worker_id
                      from imagen.jobs j
                     where (j.status, j.attempt, j.worker_id) is distinct from
                           (select (m.new_status, m.new_attempt, m.new_worker) from ledger.story m
                             where m.job_id = j.id order by m.id desc limit 1)"""),
            new Check("a job begins as pending, and each move where the last one ended",
                    """
                            select * from ledger.story
                             where kind <> 'insert' and (old_status, old_attempt, old_worker)
                                                        is distinct from (last_status, last_attempt, last_worker)
                                or kind = 'insert' and (last_status is not null or new_status <> 'pending' or new_attempt <> 0)"""),
            new Check("a job moves as the state machine says",
                    """
                            select * from ledger.story
                             where old_status is not null and (old_status, new_status) not in (
                                       ('pending', 'running'), ('pending', 'cancelled'), ('pending', 'failed'),
                                       ('running', 'done'), ('running', 'failed'), ('running', 'cancelled'), ('running', 'pending'),
                                       ('failed', 'pending'), ('cancelled', 'pending'))"""),
            new Check("a job is done once", """
                    select job_id, count(*) as times from ledger.story where new_status = 'done'
                     group by job_id having count(*) > 1"""), new Check("no worker moves a job that has ended", """
                    select * from ledger.story
                     where old_status in ('done', 'failed', 'cancelled') and process like 'worker-%'"""),
            new Check("a claim begins the next attempt, and nothing else does", """
                    select * from ledger.story
                     where old_status is not null
                       and new_attempt <> old_attempt + case when kind = 'claim' then 1 else 0 end"""),
            new Check("a claim names the worker, and what leaves running for pending names none",
                    """
                            select * from ledger.story
                             where kind = 'claim' and new_worker is null or new_status = 'pending' and new_worker is not null"""),
            new Check("no job is claimed before it is due", """
                    select * from ledger.story where kind = 'claim' and at < run_at"""),
            new Check("the process that claimed a job ends it, unless it is rescued", """
                    select * from ledger.story where kind = 'end' and process <> last_process"""),
            new Check("a rescue comes after the lease", """
                    select * from ledger.story where kind = 'rescue' and heartbeat_at > at - lease"""));

    private LedgerChecks() {}
}
