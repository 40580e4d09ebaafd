package dev.imagen.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.imagen.storage.ImageStore.Content;
import dev.imagen.testing.FaultProxy;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What stores behind a network hold to besides. */
abstract class RemoteStoreContract extends ImageStoreContract {

    static final Duration LINKS = Duration.ofMinutes(5);
    static final Retries QUICK = new Retries(3, Duration.ofMillis(2), Duration.ofSeconds(2));

    /** What requests pass on their way. */
    abstract FaultProxy proxy();

    /** The method of an upload. */
    abstract String uploads();

    /** How the server tells an error, and the status it does so with. */
    abstract void answer(String method, int status, Map<String, String> headers);

    /** What no message may show. */
    abstract String secret();

    @Override
    void breakStore() {
        for (int i = 0; i < QUICK.tries(); i++) {
            answer(uploads(), 503, Map.of());
        }
    }

    @Override
    void mendStore() {
        proxy().mend();
    }

    private StoreException failure(ThrowingCallable call) {
        var thrown = new StoreException[1];
        assertThatThrownBy(call).isInstanceOfSatisfying(StoreException.class, e -> thrown[0] = e)
                .hasMessageNotContaining(secret());
        return thrown[0];
    }

    private StoreException failedPut() {
        return failure(() -> store().put(KEY, BYTES, PNG));
    }

    private long uploadsSeen() {
        return proxy().requests().stream().filter(line -> line.startsWith(uploads()) && line.contains(KEY)).count();
    }

    @Test
    void a_link_serves_the_bytes_and_does_not_show_what_opens_it() throws Exception {
        put(KEY);
        assertThat(store().content(KEY)).get().isInstanceOfSatisfying(Content.Link.class, link -> {
            assertThat(link.lifetime()).isEqualTo(LINKS);
            assertThat(link.toString()).contains(KEY).doesNotContain("?");
            assertThat(link.url().toString()).doesNotContain(secret());
        });
        assertThat(follow(store().content(KEY).orElseThrow())).isEqualTo(BYTES);
    }

    @Test
    void a_link_opens_no_other_image() throws Exception {
        var other = KEY.replace("-1.png", "-2.png");
        put(KEY, other);
        var link = (Content.Link) store().content(KEY).orElseThrow();
        var forged = link.url().toString().replace(KEY, other);
        assertThat(fetch(URI.create(forged)).statusCode()).isBetween(400, 403);
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 425, 429, 500, 502, 503, 504})
    void what_is_transient_is_tried_again(int status) throws Exception {
        put("owner/2026/11/warm-1.png");
        answer(uploads(), status, Map.of());
        answer(uploads(), status, Map.of("Retry-After", "0"));
        put(KEY);
        assertThat(store().get(KEY)).contains(BYTES);
        assertThat(uploadsSeen()).isEqualTo(3);
    }

    @Test
    void tries_have_an_end_and_what_stayed_transient_is_the_queues_to_try_again() {
        breakStore();
        assertThat(failedPut().retryable()).isTrue();
        assertThat(uploadsSeen()).isEqualTo(QUICK.tries());
    }

    @Test
    void a_store_that_says_when_to_come_back_is_waited_for() throws Exception {
        put("owner/2026/11/warm-1.png");
        answer(uploads(), 503, Map.of("Retry-After", "1"));
        long began = System.nanoTime();
        put(KEY);
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThanOrEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void a_store_that_wants_more_time_than_an_attempt_has_is_left_to_the_queue() {
        answer(uploads(), 429, Map.of("Retry-After", "120"));
        var failure = failedPut();
        assertThat(failure.retryable()).isTrue();
        assertThat(failure.retryAfter()).contains(Duration.ofMinutes(2));
        assertThat(uploadsSeen()).isOne();
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 401, 403, 413, 415})
    void what_is_refused_for_good_is_tried_once_and_says_what_to_check(int status) {
        answer(uploads(), status, Map.of());
        var failure = failedPut();
        assertThat(failure.retryable()).isFalse();
        assertThat(failure).hasMessageContaining(String.valueOf(status)).hasMessageContaining(": ");
        assertThat(uploadsSeen()).isOne();
    }

    @Test
    void an_upload_whose_answer_was_lost_is_repeated_and_stored_once() throws Exception {
        put("owner/2026/11/warm-1.png");
        proxy().loseAnswer(uploads());
        put(KEY);
        assertThat(store().get(KEY)).contains(BYTES);
        assertThat(store().keys("00000000-0000-4000-8000-000000000001")).containsExactly(KEY);
        assertThat(uploadsSeen()).isEqualTo(2);
    }

    @Test
    void bytes_that_changed_on_the_way_are_noticed_and_sent_again() throws Exception {
        put("owner/2026/11/warm-1.png");
        proxy().corrupt(uploads());
        put(KEY);
        assertThat(uploadsSeen()).isEqualTo(2);
        assertThat(store().get(KEY)).contains(BYTES);
    }

    @Test
    void an_interrupt_ends_an_upload_that_gets_no_answer_at_once() throws Exception {
        put("owner/2026/11/warm-1.png");
        var silence = proxy().silence(uploads());
        var stayed = new CompletableFuture<Boolean>();
        var putting = Thread.ofVirtual().start(() -> {
            assertThatThrownBy(() -> store().put(KEY, BYTES, PNG)).isInstanceOf(IOException.class);
            stayed.complete(Thread.currentThread().isInterrupted());
        });
        silence.await();
        putting.interrupt();
        assertThat(stayed.get(2, TimeUnit.SECONDS)).isTrue();
        assertThat(uploadsSeen()).isOne();
    }

    @Test
    void an_interrupt_ends_the_wait_for_a_store_that_asked_for_one_at_once() throws Exception {
        put("owner/2026/11/warm-1.png");
        answer(uploads(), 503, Map.of("Retry-After", "2"));
        var ended = new CompletableFuture<Long>();
        var putting = Thread.ofVirtual().start(() -> {
            assertThatThrownBy(() -> store().put(KEY, BYTES, PNG)).isInstanceOf(IOException.class);
            ended.complete(System.nanoTime());
        });
        await().until(() -> uploadsSeen() == 1);
        long interrupted = System.nanoTime();
        putting.interrupt();
        assertThat(Duration.ofNanos(ended.get(10, TimeUnit.SECONDS) - interrupted)).isLessThan(Duration.ofSeconds(1));
    }

    @Test
    void a_deletion_and_a_listing_are_tried_again_too() throws Exception {
        put(KEY);
        answer("DELETE", 503, Map.of());
        store().delete(KEY);
        assertThat(store().get(KEY)).isEmpty();
    }

    @Test
    void a_deletion_that_is_refused_is_a_failure_and_no_success() throws Exception {
        put(KEY);
        answer("DELETE", 403, Map.of());
        assertThat(failure(() -> store().delete(KEY)).retryable()).isFalse();
        assertThat(store().get(KEY)).contains(BYTES);
    }

    @Test
    void a_path_that_the_gateway_does_not_know_is_no_missing_image() throws Exception {
        put(KEY);
        proxy().answer("DELETE", 404, Map.of(), "{\"message\":\"no Route matched with those values\"}");
        assertThat(failure(() -> store().delete(KEY)).retryable()).isFalse();
    }

    @Test
    void a_server_that_is_down_is_a_transient_failure() {
        proxy().close();
        assertThat(failedPut().retryable()).isTrue();
        assertThat(failure(() -> store().get(KEY)).retryable()).isTrue();
        assertThat(failure(() -> store().delete(KEY)).retryable()).isTrue();
        assertThat(failure(() -> store().keys(KEY)).retryable()).isTrue();
    }
}
