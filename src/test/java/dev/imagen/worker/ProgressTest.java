package dev.imagen.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.queue.ProgressListener;
import dev.imagen.testing.SampleImages;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is written, a tick at a time. */
@Timeout(30)
class ProgressTest {

    private final FakeQueue queue = new FakeQueue();
    private final RunningJobs running = new RunningJobs();
    private final Semaphore rounds = new Semaphore(0);
    private final LiveProgress live = new LiveProgress(rounds::release);
    private final Progress progress = new Progress(queue, running, live);
    private final RunningJob job = new RunningJob(FakeQueue.job(), live);

    @AfterEach
    void stop() {
        live.stop();
    }

    @Test
    void nothing_is_written_while_nothing_moves() {
        running.add(job);
        progress.write();
        job.finished(1, 9);
        progress.write();
        progress.write();
        assertThat(queue.progress).hasSize(1);
    }

    @Test
    void ten_thousand_jobs_are_one_statement() {
        for (int i = 0; i < 10_000; i++) {
            var one = new RunningJob(FakeQueue.job(), live);
            running.add(one);
            one.finished(1, 9);
        }
        progress.write();
        assertThat(queue.progress).singleElement().satisfies(ticks -> assertThat(ticks).hasSize(10_000));
    }

    @Test
    void a_preview_is_written_once_and_only_where_another_process_wants_it() throws Exception {
        running.add(job);
        live.start(ProgressListener.NOBODY);
        job.finished(1, 9);
        job.preview(SampleImages.png(8, 8));
        queue.wantPreviews();
        assertThat(progress.write()).as("to be written soon again").isTrue();
        assertThat(queue.progress.take()).singleElement().satisfies(tick -> assertThat(tick.preview()).isEmpty());
        job.preview(SampleImages.png(8, 8));
        rounds.acquire();
        assertThat(progress.write()).isFalse();
        assertThat(queue.progress.take()).singleElement().satisfies(tick -> {
            assertThat(tick.step()).isEqualTo(1);
            assertThat(tick.preview()).isPresent();
        });
        progress.write();
        assertThat(queue.progress).isEmpty();
    }

    @Test
    void of_a_job_that_was_given_to_another_owner_nobody_hears_any_more() {
        running.add(job);
        queue.giveAway(job.job().id());
        job.finished(1, 9);
        progress.write();
        assertThat(job.lost()).isTrue();
    }
}
