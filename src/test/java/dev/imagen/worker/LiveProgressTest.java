package dev.imagen.worker;

import static dev.imagen.worker.FakePipeline.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.image.ImageFile;
import dev.imagen.image.Preview;
import dev.imagen.job.Job;
import dev.imagen.queue.JobQueue.ProgressTick;
import dev.imagen.queue.ProgressListener;
import dev.imagen.testing.SampleImages;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is told in the process of a job. The test ends the pauses between two rounds. */
@Timeout(30)
class LiveProgressTest {

    /** Hears of every job, as long as it watches. */
    private static final class Ear implements ProgressListener {

        private final BlockingQueue<ProgressTick> heard = new LinkedBlockingQueue<>();
        private volatile boolean watches = true;

        @Override
        public boolean watches(Job job) {
            return watches;
        }

        @Override
        public void progressed(ProgressTick tick) {
            heard.add(tick);
        }
    }

    private final Ear ear = new Ear();
    private final Semaphore pausing = new Semaphore(0);
    private final Semaphore resumed = new Semaphore(0);
    private final LiveProgress live = new LiveProgress(() -> {
        pausing.release();
        resumed.acquire();
    });
    private final RunningJob job = new RunningJob(FakeQueue.job(), live);

    private void start() {
        live.start(ear);
    }

    @AfterEach
    void stop() {
        live.stop();
    }

    /** Until the end of the round that is due. */
    private void awaitRound() throws InterruptedException {
        pausing.acquire();
    }

    private void nextRound() throws InterruptedException {
        resumed.release();
        awaitRound();
    }

    private ProgressTick heard() throws InterruptedException {
        return await(ear.heard, "news");
    }

    private static int width(ProgressTick tick) throws Exception {
        return ImageFile.read(tick.preview().orElseThrow()).width();
    }

    @Test
    void the_first_step_is_told_at_once_and_all_steps_of_a_pause_as_one() throws Exception {
        start();
        job.finished(1, 20);
        assertThat(heard().step()).isEqualTo(1);
        awaitRound();
        for (int step = 2; step <= 9; step++) {
            job.finished(step, 20);
            job.preview(SampleImages.png(10 * step, 10));
        }
        assertThat(ear.heard).isEmpty();
        nextRound();
        assertThat(ear.heard).singleElement().satisfies(tick -> {
            assertThat(tick.step()).isEqualTo(9);
            assertThat(tick.steps()).isEqualTo(20);
            assertThat(width(tick)).isEqualTo(90);
        });
    }

    @Test
    void each_of_many_jobs_is_told_once_a_round() throws Exception {
        var jobs = new RunningJob[50];
        for (int i = 0; i < jobs.length; i++) {
            jobs[i] = new RunningJob(FakeQueue.job(), live);
            jobs[i].finished(1, 9);
            jobs[i].preview(SampleImages.jpeg(8, 8));
            jobs[i].finished(2, 9);
        }
        // Nobody watched yet.
        start();
        for (RunningJob one : jobs) {
            one.finished(3, 9);
        }
        awaitRound();
        // Some may have come too late for the first.
        job.finished(1, 9);
        nextRound();
        assertThat(ear.heard).extracting(tick -> tick.job().id()).hasSize(51).doesNotHaveDuplicates();
        assertThat(ear.heard).noneMatch(tick -> tick.preview().isPresent());
    }

    @Test
    void a_preview_that_nobody_watches_is_thrown_away_and_not_wanted() throws Exception {
        ear.watches = false;
        start();
        job.finished(1, 20);
        assertThat(job.previewWanted()).isFalse();
        job.preview(SampleImages.png(50, 50));
        ear.watches = true;
        assertThat(job.previewWanted()).isTrue();
        job.finished(2, 20);
        awaitRound();
        assertThat(ear.heard).singleElement().satisfies(tick -> assertThat(tick.preview()).isEmpty());
        assertThat(live.takeMade()).isEmpty();
    }

    @Test
    void a_preview_may_come_between_two_steps() throws Exception {
        start();
        job.finished(1, 2);
        awaitRound();
        job.preview(SampleImages.png(60, 40));
        nextRound();
        assertThat(heard().preview()).isEmpty();
        var second = heard();
        assertThat(second.step()).isEqualTo(1);
        assertThat(width(second)).isEqualTo(60);
    }

    @Test
    void a_preview_that_comes_before_the_first_step_waits_for_it() throws Exception {
        start();
        job.preview(SampleImages.png(60, 40));
        job.finished(1, 2);
        awaitRound();
        assertThat(ear.heard).hasSize(1);
        assertThat(width(heard())).isEqualTo(60);
    }

    @Test
    void what_is_no_picture_is_left_out_and_the_step_is_told() throws Exception {
        start();
        job.preview(SampleImages.LOSSY_WEBP);
        job.finished(1, 2);
        awaitRound();
        assertThat(heard().preview()).isEmpty();
        job.preview(new byte[Preview.MOST_SENT + 1]);
        job.finished(2, 2);
        nextRound();
        assertThat(heard().preview()).isEmpty();
    }

    @Test
    void other_processes_get_one_preview_each_time_that_it_is_written_and_the_newest_by_then() throws Exception {
        ear.watches = false;
        start();
        job.written(true);
        assertThat(job.previewWanted()).isTrue();
        job.finished(1, 20);
        awaitRound();
        for (int width = 10; width <= 50; width += 10) {
            job.preview(SampleImages.png(width, 10));
            nextRound();
        }
        assertThat(ear.heard).isEmpty();
        assertMade(10);
        nextRound();
        assertMade(50);
        assertThat(live.takeMade()).isEmpty();
    }

    private void assertMade(int width) throws Exception {
        var made = live.takeMade();
        assertThat(made).containsOnlyKeys(job);
        assertThat(ImageFile.read(made.get(job)).width()).isEqualTo(width);
    }

    @Test
    void a_job_that_is_watched_here_and_elsewhere_shows_the_same_in_both() throws Exception {
        start();
        job.written(true);
        job.finished(1, 20);
        awaitRound();
        job.preview(SampleImages.png(30, 10));
        nextRound();
        assertThat(heard().preview()).isEmpty();
        assertThat(live.takeMade()).isEqualTo(Map.of(job, heard().preview().orElseThrow()));
    }

    @Test
    void an_attempt_that_was_stopped_is_told_no_more() throws Exception {
        start();
        job.finished(1, 20);
        awaitRound();
        heard();
        job.preview(SampleImages.png(30, 10));
        job.finished(2, 20);
        job.stop(StopReason.CANCEL);
        nextRound();
        assertThat(ear.heard).isEmpty();
    }

    @Test
    void a_job_whose_progress_the_database_refuses_is_told_no_more_here_either() throws Exception {
        start();
        job.refused();
        assertThat(job.previewWanted()).isFalse();
        job.finished(1, 20);
        job.preview(SampleImages.png(30, 10));
        job.written(false);
        job.finished(2, 20);
        awaitRound();
        assertThat(ear.heard).singleElement().satisfies(tick -> {
            assertThat(tick.step()).isEqualTo(2);
            assertThat(tick.preview()).isEmpty();
        });
    }
}
