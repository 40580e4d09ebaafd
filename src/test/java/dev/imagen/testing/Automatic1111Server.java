package dev.imagen.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import dev.imagen.image.ImageFile;
import dev.imagen.image.InvalidImageException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The {@code sdapi} of the AUTOMATIC1111 web UI: one queue, one state for whichever picture is drawn, an interrupt that
 * ends that one whoever it is for and makes a success of what is there of it. It refuses what the real one refuses, and
 * fields that the real one would not heed.
 */
public final class Automatic1111Server extends ContractServer {

    /** The only login that it takes. */
    public static final String KEY = "artist:a-password-of-a-test";

    /** The checkpoint that it has loaded, and the other one that it knows. */
    public static final String LOADED = "dreamer_v8";
    public static final String OTHER = "painter_xl";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Set<String> WHOLE = Set.of("seed", "subseed", "steps", "width", "height", "batch_size",
            "n_iter", "clip_skip");
    private static final Set<String> DECIMAL = Set.of("cfg_scale", "distilled_cfg_scale", "subseed_strength");
    private static final Set<String> FLAG = Set.of("send_images", "save_images", "restore_faces", "tiling",
            "override_settings_restore_afterwards");
    private static final Set<String> TEXT = Set.of("prompt", "negative_prompt", "sampler_name", "scheduler",
            "force_task_id");
    private static final Set<String> SAMPLERS = Set.of("Euler", "Euler a", "DPM++ 2M");
    private static final Set<String> SETTINGS = Set.of("sd_model_checkpoint", "CLIP_stop_at_last_layers");

    /** How servers of this kind differ. */
    public enum Kind {
        /** Draws with the loaded checkpoint where it does not know the one that is asked for. */
        AUTOMATIC1111,
        /** Fails then. */
        FORGE,
        /** Keeps no account of tasks. */
        SDNEXT,
        /** Has one checkpoint, no progress, no interrupt and no info. */
        SD_SERVER
    }

    /** Of previews: how wide they are says whose they are, and of which step. */
    public static final int OTHERS_PREVIEW = 900;
    private static final int OWN_PREVIEW = 100;

    /** One picture that is being drawn. */
    private record Drawing(String task, int steps) {
        /** How it looks after a step. */
        byte[] preview(int step) {
            return SampleImages.png((task.startsWith("task(") ? OWN_PREVIEW : OTHERS_PREVIEW) + step, 50);
        }
    }

    private final AtomicReference<JsonNode> last = new AtomicReference<>();
    private final List<String> interrupted = new CopyOnWriteArrayList<>();
    private final List<String> pending = new CopyOnWriteArrayList<>();
    private final List<String> finished = new CopyOnWriteArrayList<>();
    private volatile Kind kind = Kind.AUTOMATIC1111;
    private volatile boolean grid;
    private volatile boolean hugePreviews;
    private volatile CountDownLatch answers = new CountDownLatch(0);
    private volatile double secondsLeft = 30;

    // Of the picture that is drawn, under this object's monitor.
    private Drawing drawing;
    private String current;
    private int step;
    private boolean ended;
    private boolean slow;
    private int allowed;
    private int mostAtOnce;
    private int questions;
    private int previewsAsked;
    private boolean nextTooSoon;

    /** A server that listens. */
    public static Automatic1111Server start() throws IOException {
        var server = new Automatic1111Server();
        server.listen();
        return server;
    }

    /** Which of them it is. */
    public Automatic1111Server as(Kind kind) {
        this.kind = kind;
        return this;
    }

    /** Sends a picture of all pictures before the first. */
    public void sendGrid() {
        grid = true;
    }

    /** Previews are larger from now on than anybody would read. */
    public void sendHugePreviews() {
        hugePreviews = true;
    }

    /** How often somebody asked for a preview. */
    public synchronized int previewsAsked() {
        return previewsAsked;
    }

    /**
     * When somebody asks for a preview the next time, their picture ends after the server has seen that it is drawn,
     * and the next one has begun before it looks at the preview.
     */
    public synchronized void nextBeginsWhileAsked() {
        nextTooSoon = true;
    }

    /** Pictures that are drawn are on their way until the latch is down. */
    public CountDownLatch holdAnswers() {
        answers = new CountDownLatch(1);
        return answers;
    }

    /** What it guesses that a picture still takes. */
    public void guessLeft(double seconds) {
        secondsLeft = seconds;
    }

    /** Draws no step from now on but as many as {@link #draw} allows. */
    public synchronized void drawSlowly() {
        slow = true;
    }

    /** Lets some steps be drawn, and waits until they are. */
    public synchronized void draw(int steps) throws InterruptedException {
        allowed += steps;
        notifyAll();
        while (allowed > 0) {
            wait();
        }
    }

    /** Draws as fast as it can again. */
    public synchronized void drawFast() {
        slow = false;
        notifyAll();
    }

    /** Waits until a picture is drawn. */
    public synchronized void awaitDrawing() throws InterruptedException {
        while (drawing == null) {
            wait();
        }
    }

    /** Waits until none is. */
    public synchronized void awaitIdle() throws InterruptedException {
        while (drawing != null) {
            wait();
        }
    }

    /** Waits until a picture was interrupted. */
    public synchronized void awaitInterrupt() throws InterruptedException {
        while (interrupted.isEmpty()) {
            wait();
        }
    }

    /** Waits until somebody has asked so many more times how a task fares. */
    public synchronized void awaitQuestions(int more) throws InterruptedException {
        for (int enough = questions + more; questions < enough;) {
            wait();
        }
    }

    /** Waits until a call stands in the queue. */
    public synchronized void awaitPending() throws InterruptedException {
        while (pending.isEmpty()) {
            wait();
        }
    }

    /** Another user's picture: begins before this returns, unless one is drawn. */
    public void anotherUserDraws(String name) throws InterruptedException {
        Thread.ofVirtual().start(() -> {
            try {
                enqueue(name);
                drawn(name, 20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        awaitDrawing();
    }

    /** What another user does in the web UI. */
    public synchronized void interruptWhateverIsDrawn() {
        interrupted.add(drawing == null ? "nothing" : drawing.task());
        ended = true;
        notifyAll();
    }

    /** How many pictures, drawn or waiting, there were at a time. */
    public synchronized int mostAtOnce() {
        return mostAtOnce;
    }

    /** Which pictures were interrupted: tasks, or the names of others' pictures. */
    public List<String> interrupted() {
        return interrupted;
    }

    /** What was asked for last. */
    public JsonNode last() {
        return last.get();
    }

    @Override
    protected boolean generates(HttpExchange exchange) {
        return Set.of("/sdapi/v1/txt2img", "/sdapi/v1/img2img").contains(exchange.getRequestURI().getPath());
    }

    @Override
    protected void answer(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        var call = exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath();
        boolean open = call.equals("POST /internal/progress") || call.equals("GET /sdapi/v1/progress");
        if (!open && !authorized(exchange)) {
            exchange.getResponseHeaders().set("WWW-Authenticate", "Basic");
            error(exchange, 401, "HTTPException", "Incorrect username or password", "");
            return;
        }
        var list = Automatic1111Lists.of(kind, call);
        if (list.isPresent()) {
            send(exchange, 200, "application/json", JSON.writeValueAsBytes(list.get()));
            return;
        }
        if (kind == Kind.SD_SERVER && !generates(exchange)) {
            error(exchange, 404, "HTTPException", "Not Found", "");
            return;
        }
        switch (call) {
            case "POST /sdapi/v1/txt2img" -> draw(exchange, JSON.readTree(body), false);
            case "POST /sdapi/v1/img2img" -> draw(exchange, JSON.readTree(body), true);
            case "GET /sdapi/v1/progress" ->
                json(exchange, 200, progress("skip_current_image=true".equals(exchange.getRequestURI().getQuery())));
            case "POST /internal/progress" -> taskProgress(exchange, JSON.readTree(body));
            case "POST /sdapi/v1/interrupt" -> {
                interruptWhateverIsDrawn();
                json(exchange, 200, JSON.createObjectNode());
            }
            default -> error(exchange, 404, "HTTPException", "Not Found", "");
        }
    }

    private static boolean authorized(HttpExchange exchange) {
        return ("Basic " + Base64.getEncoder().encodeToString(KEY.getBytes(StandardCharsets.UTF_8)))
                .equals(exchange.getRequestHeaders().getFirst("Authorization"));
    }

    private void draw(HttpExchange exchange, JsonNode asked, boolean begun) throws IOException {
        last.set(asked);
        var wrong = wrongField(asked, begun);
        if (wrong != null) {
            var answer = JSON.createObjectNode();
            answer.putArray("detail").addObject().put("msg", "Input should be valid").put("type", "type_error")
                    .putArray("loc").add("body").add(wrong);
            json(exchange, 422, answer);
            return;
        }
        if (kind != Kind.SD_SERVER && !SAMPLERS.contains(asked.path("sampler_name").asText("Euler"))) {
            error(exchange, kind == Kind.FORGE ? 400 : 404, "HTTPException", "Sampler not found", "");
            return;
        }
        // sd-server ignores what it cannot read.
        if (begun && kind != Kind.SD_SERVER && !readable(asked.path("init_images"))) {
            error(exchange, 500, "HTTPException", "Invalid encoded image", "");
            return;
        }
        var model = asked.path("override_settings").path("sd_model_checkpoint").asText(LOADED);
        boolean known = Set.of(LOADED, OTHER, OTHER + ".safetensors [31e35c80fc]").contains(model);
        if (kind == Kind.FORGE && !known && !begun) {
            error(exchange, 500, "RuntimeError", "", "model '" + model + "' not found");
            return;
        }
        boolean keeps = kind == Kind.SD_SERVER || kind == Kind.FORGE && begun;
        boolean other = known && !keeps && model.startsWith(OTHER);
        draw(exchange, asked, other ? OTHER : LOADED);
    }

    private void draw(HttpExchange exchange, JsonNode asked, String model) throws IOException {
        var task = kind == Kind.SDNEXT || kind == Kind.SD_SERVER
                ? "a task of its own"
                : asked.path("force_task_id").asText("a task of its own");
        try {
            enqueue(task);
            drawn(task, asked.path("steps").asInt(50));
            answers.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
        json(exchange, 200, picture(asked, model));
    }

    private static boolean readable(JsonNode images) {
        try {
            ImageFile.read(Base64.getDecoder().decode(images.path(0).asText()));
            return true;
        } catch (InvalidImageException | IllegalArgumentException e) {
            return false;
        }
    }

    private static String wrongField(JsonNode asked, boolean begun) {
        for (Map.Entry<String, JsonNode> field : asked.properties()) {
            var value = field.getValue();
            boolean right = switch (field.getKey()) {
                case String name when WHOLE.contains(name) -> value.isIntegralNumber();
                case String name when DECIMAL.contains(name) -> value.isNumber();
                case String name when FLAG.contains(name) -> value.isBoolean();
                case String name when TEXT.contains(name) -> value.isTextual();
                case "init_images" -> begun && value.isArray() && value.size() == 1 && value.get(0).isTextual();
                case "denoising_strength" ->
                    begun && value.isNumber() && value.doubleValue() >= 0 && value.doubleValue() <= 1;
                case "resize_mode" ->
                    begun && value.isIntegralNumber() && value.intValue() >= 0 && value.intValue() <= 3;
                case "override_settings" ->
                    value.isObject() && value.properties().stream().allMatch(s -> SETTINGS.contains(s.getKey()));
                default -> false;
            };
            if (!right) {
                return field.getKey();
            }
        }
        boolean sides = asked.path("width").asInt(512) % 8 == 0 && asked.path("height").asInt(512) % 8 == 0;
        if (!sides) {
            return "width";
        }
        return begun && !asked.has("init_images") ? "init_images" : null;
    }

    private synchronized void enqueue(String task) {
        pending.add(task);
        mostAtOnce = Math.max(mostAtOnce, pending.size() + (drawing == null ? 0 : 1));
        notifyAll();
    }

    /** Draws a picture in its turn, to its end or to an interrupt. */
    private synchronized void drawn(String task, int steps) throws InterruptedException {
        while (drawing != null || !pending.getFirst().equals(task)) {
            wait();
        }
        pending.removeFirst();
        drawing = new Drawing(task, steps);
        current = task;
        ended = false;
        notifyAll();
        for (step = 0; step < steps && !ended; step++) {
            while (slow && allowed == 0 && !ended) {
                wait();
            }
            allowed = Math.max(0, allowed - 1);
            notifyAll();
        }
        drawing = null;
        current = null;
        finished.add(task);
        notifyAll();
    }

    /** Of all: as the real one it keeps the interrupt of the last picture until the next begins. */
    private synchronized ObjectNode progress(boolean skipImage) {
        var answer = JSON.createObjectNode().put("progress", drawing == null ? 0 : (double) step / drawing.steps())
                .put("eta_relative", 0).putNull("current_image").putNull("current_task");
        if (!skipImage && step > 0 && drawing != null) {
            answer.put("current_image", Base64.getEncoder().encodeToString(drawing.preview(step)));
        }
        answer.putObject("state").put("skipped", false).put("interrupted", ended)
                .put("job", drawing == null ? "" : "scripts_txt2img").put("job_count", drawing == null ? 0 : 1)
                .put("job_no", 0).put("sampling_step", step)
                .put("sampling_steps", drawing == null ? 0 : drawing.steps());
        return answer;
    }

    private void taskProgress(HttpExchange exchange, JsonNode asked) throws IOException {
        if (!asked.path("id_task").isTextual() || !asked.path("id_live_preview").isIntegralNumber()
                || !asked.path("live_preview").isBoolean() || asked.size() != 3) {
            error(exchange, 422, "HTTPException", "id_task, id_live_preview, live_preview", "");
            return;
        }
        try {
            json(exchange, 200, taskProgress(asked.path("id_task").textValue(),
                    asked.path("id_live_preview").intValue(), asked.path("live_preview").booleanValue()));
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private synchronized ObjectNode taskProgress(String task, int lastPreview, boolean preview)
            throws InterruptedException {
        questions++;
        previewsAsked += preview ? 1 : 0;
        notifyAll();
        boolean active = task.equals(current);
        var answer = JSON.createObjectNode().put("active", active).put("queued", pending.contains(task))
                .put("completed", finished.contains(task)).putNull("progress").putNull("eta").putNull("live_preview")
                .put("id_live_preview", active ? lastPreview : -1);
        if (!active) {
            return answer;
        }
        answer.put("progress", (double) step / drawing.steps()).put("eta", step == 0 ? 0 : secondsLeft);
        if (preview && nextTooSoon) {
            nextTooSoon = false;
            beginNext();
        }
        if (preview && step > 0 && step != lastPreview) {
            answer.put("id_live_preview", step).put("live_preview", livePreview());
        }
        return answer;
    }

    /** Draws this picture to its end, and the first step of the next one. */
    private void beginNext() throws InterruptedException {
        var before = drawing;
        allowed += before.steps() - step + 1;
        notifyAll();
        while (drawing == null || drawing == before || step < 1) {
            wait();
        }
    }

    private String livePreview() {
        var picture = Base64.getEncoder().encodeToString(drawing.preview(step));
        return "data:image/png;base64," + (hugePreviews ? picture + "A".repeat(16 * 1024 * 1024) : picture);
    }

    private ObjectNode picture(JsonNode asked, String model) throws IOException {
        int width = asked.path("width").asInt(512);
        int height = asked.path("height").asInt(512);
        var answer = JSON.createObjectNode();
        var images = answer.putArray("images");
        if (grid) {
            images.add(Base64.getEncoder().encodeToString(SampleImages.png(2 * width, height)));
        }
        images.add(Base64.getEncoder().encodeToString(SampleImages.png(width, height)));
        var repeated = ((ObjectNode) asked).deepCopy();
        if (kind != Kind.SD_SERVER) {
            repeated.remove("init_images");
        }
        answer.set("parameters", repeated);
        var info = JSON.createObjectNode().put("seed", asked.path("seed").asLong()).put("sd_model_name", model)
                .put("sd_model_hash", "879db523c3").put("index_of_first_image", grid ? 1 : 0);
        return answer.put("info", kind == Kind.SD_SERVER ? "" : JSON.writeValueAsString(info));
    }

    private static void error(HttpExchange exchange, int status, String error, String detail, String errors)
            throws IOException {
        json(exchange, status, JSON.createObjectNode().put("error", error).put("detail", detail).put("body", "")
                .put("errors", errors));
    }

    private static void json(HttpExchange exchange, int status, ObjectNode json) throws IOException {
        send(exchange, status, "application/json", JSON.writeValueAsBytes(json));
    }
}
