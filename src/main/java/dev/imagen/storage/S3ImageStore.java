package dev.imagen.storage;

import dev.imagen.config.StorageSettings.S3;
import dev.imagen.image.ImageBytes;
import dev.imagen.job.RetryAfter;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3Configuration;
import software.amazon.awssdk.services.s3.model.BucketAlreadyExistsException;
import software.amazon.awssdk.services.s3.model.BucketAlreadyOwnedByYouException;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.NoSuchBucketException;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;

/** A bucket of Amazon S3 or of what speaks its protocol, made by the first upload that finds it missing. */
public final class S3ImageStore implements ImageStore {

    private static final Duration CONNECT = Duration.ofSeconds(10);
    /** Between two pieces of an answer. */
    private static final Duration SILENCE = Duration.ofSeconds(30);

    private static final String KEYS = "check storage.s3.key and storage.s3.secret (STORAGE_S3_KEY, STORAGE_S3_SECRET)"
            + " and what the key may do";

    private static final String OTHER_BUCKET = "name another in storage.s3.bucket (STORAGE_S3_BUCKET)";

    /** What came was not what was sent. Errors of this kind are 400, and gone at the next try. */
    private static final Set<String> BROKEN_ON_THE_WAY = Set.of("BadDigest", "IncompleteBody", "RequestTimeout",
            "XAmzContentSHA256Mismatch");

    private final S3Client client;
    private final S3Presigner presigner;
    private final String bucket;
    private final Duration links;
    private final Retries retries;

    /** @param links how long a link is valid */
    public S3ImageStore(S3 settings, Duration links) {
        this(settings, links, Retries.USUAL);
    }

    S3ImageStore(S3 settings, Duration links, Retries retries) {
        this.bucket = settings.bucket();
        var region = Region.of(settings.region());
        this.links = links;
        this.retries = retries;
        var credentials = StaticCredentialsProvider
                .create(AwsBasicCredentials.create(settings.key().value(), settings.secret().value()));
        this.client = client(settings.endpoint(), region, credentials);
        this.presigner = presigner(settings.endpoint(), region, credentials);
    }

    /** A server of one's own has one name: its buckets are in the path. */
    private S3Client client(Optional<URI> endpoint, Region region, AwsCredentialsProvider credentials) {
        var builder = S3Client.builder().region(region).credentialsProvider(credentials)
                .httpClientBuilder(UrlConnectionHttpClient.builder().connectionTimeout(CONNECT).socketTimeout(SILENCE))
                // Content-MD5, which every server knows, instead of checksums in a trailer, which many refuse.
                .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                // Ours are interrupted at once, and wait for as long as the server says.
                .overrideConfiguration(override -> override.retryStrategy(DefaultRetryStrategy.doNotRetry()))
                .serviceConfiguration(configuration(endpoint));
        endpoint.ifPresent(builder::endpointOverride);
        return builder.build();
    }

    private S3Presigner presigner(Optional<URI> endpoint, Region region, AwsCredentialsProvider credentials) {
        var builder = S3Presigner.builder().region(region).credentialsProvider(credentials)
                .serviceConfiguration(configuration(endpoint));
        endpoint.ifPresent(builder::endpointOverride);
        return builder.build();
    }

    /**
     * A picture is small: asking first whether it may come would cost a round trip, or five seconds of some servers,
     * and pieces that are signed one by one are more than many servers understand.
     */
    private static S3Configuration configuration(Optional<URI> endpoint) {
        return S3Configuration.builder().pathStyleAccessEnabled(endpoint.isPresent()).expectContinueEnabled(false)
                .chunkedEncodingEnabled(false).build();
    }

    @Override
    public String bucket() {
        return bucket;
    }

    @Override
    public String place(String key) {
        return "s3://" + bucket + "/" + StorageKey.check(key);
    }

    @Override
    public void put(String key, ImageBytes picture, String mimeType) throws IOException {
        StorageKey.check(key);
        byte[] bytes = picture.joined();
        var request = PutObjectRequest.builder().bucket(bucket).key(key).contentType(mimeType)
                .cacheControl(StorageKey.CACHE_CONTROL)
                .contentMD5(Base64.getEncoder().encodeToString(Digests.md5Bytes(bytes))).build();
        // Not fromBytes, which would copy the picture.
        var body = RequestBody.fromContentProvider(() -> new ByteArrayInputStream(bytes), bytes.length, mimeType);
        run(() -> {
            try {
                return client.putObject(request, body);
            } catch (NoSuchBucketException e) {
                makeBucket();
                return client.putObject(request, body);
            }
        });
    }

    /** In the client's region, which the SDK adds. */
    private void makeBucket() throws StoreException {
        try {
            client.createBucket(request -> request.bucket(bucket));
        } catch (BucketAlreadyOwnedByYouException e) {
            // Another process was quicker.
        } catch (BucketAlreadyExistsException e) {
            throw StoreException.permanent("the bucket " + bucket + " is somebody else's: " + OTHER_BUCKET);
        } catch (S3Exception e) {
            throw failure(e, "there is no bucket " + bucket + " and it could not be made: make it, or " + OTHER_BUCKET);
        }
    }

    @Override
    public Optional<byte[]> get(String key) throws IOException {
        StorageKey.check(key);
        return run(() -> present(() -> client.getObjectAsBytes(request -> request.bucket(bucket).key(key)))
                .map(answer -> answer.asByteArrayUnsafe()));
    }

    @Override
    public Optional<Content> content(String key) throws IOException {
        StorageKey.check(key);
        return run(Retries.NONE,
                () -> exists(key) ? Optional.of(new Content.Link(signed(key), links)) : Optional.empty());
    }

    private boolean exists(String key) {
        try {
            client.headObject(request -> request.bucket(bucket).key(key));
            return true;
        } catch (S3Exception e) {
            if (e.statusCode() == 404) {
                return false;
            }
            throw e;
        }
    }

    @Override
    public Optional<URI> linkOrigin() {
        return Optional.of(ImageStore.origin(signed("any")));
    }

    private URI signed(String key) {
        var get = GetObjectRequest.builder().bucket(bucket).key(key).build();
        return URI.create(presigner.presignGetObject(request -> request.signatureDuration(links).getObjectRequest(get))
                .url().toString());
    }

    @Override
    public List<String> keys(String prefix) throws IOException {
        StorageKey.check(prefix);
        return run(() -> present(() -> client.listObjectsV2Paginator(request -> request.bucket(bucket).prefix(prefix))
                .contents().stream().map(S3Object::key).filter(StorageKey::valid).toList()).orElse(List.of()));
    }

    @Override
    public void delete(String key) throws IOException {
        StorageKey.check(key);
        run(() -> {
            try {
                return client.deleteObject(request -> request.bucket(bucket).key(key));
            } catch (S3Exception e) {
                if (missing(e) && !(e instanceof NoSuchBucketException)) {
                    return null;
                }
                throw e;
            }
        });
    }

    /** What the SDK answers. */
    @FunctionalInterface
    private interface Call<T> {
        T run() throws IOException;
    }

    private static <T> Optional<T> present(Call<T> call) throws IOException {
        try {
            return Optional.of(call.run());
        } catch (S3Exception e) {
            if (missing(e)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** Not every 404: a gateway's own has no code of S3's. Nor has the answer to a HEAD, which has no body. */
    private static boolean missing(S3Exception e) {
        return e.statusCode() == 404 && code(e).startsWith("NoSuch");
    }

    private static String code(S3Exception e) {
        return Optional.ofNullable(e.awsErrorDetails()).map(told -> told.errorCode()).orElse("");
    }

    private <T> T run(Call<T> call) throws IOException {
        return run(retries, call);
    }

    private <T> T run(Retries tries, Call<T> call) throws IOException {
        return tries.run(() -> {
            try {
                return call.run();
            } catch (AbortedException e) {
                throw interrupted(e);
            } catch (S3Exception e) {
                throw failure(e, advice(e));
            } catch (SdkClientException e) {
                if (Thread.currentThread().isInterrupted()) {
                    throw interrupted(e);
                }
                throw StoreException.temporary("no answer from S3: " + e.getMessage(), e);
            }
        });
    }

    private static InterruptedException interrupted(Exception e) {
        return (InterruptedException) new InterruptedException().initCause(e);
    }

    private String advice(S3Exception e) {
        return switch (e.statusCode()) {
            case 301, 307, 400 ->
                "check storage.s3.region (STORAGE_S3_REGION) and storage.s3.endpoint" + " (STORAGE_S3_ENDPOINT)";
            case 404 -> e instanceof NoSuchBucketException
                    ? "there is no bucket " + bucket
                    : "check storage.s3.endpoint (STORAGE_S3_ENDPOINT)";
            case 413 -> "the server takes no picture of that size";
            default -> KEYS;
        };
    }

    private static StoreException failure(S3Exception e, String advice) {
        var details = Optional.ofNullable(e.awsErrorDetails());
        var message = details.map(told -> told.errorMessage()).orElse("");
        var told = "S3 answered " + e.statusCode() + " (" + String.join(": ", code(e), message) + ")";
        boolean again = Retries.transientStatus(e.statusCode()) || BROKEN_ON_THE_WAY.contains(code(e));
        return again
                ? StoreException.temporary(told,
                        details.flatMap(answer -> answer.sdkHttpResponse().firstMatchingHeader("Retry-After"))
                                .flatMap(RetryAfter::of))
                : StoreException.permanent(told + ": " + advice);
    }

    @Override
    public void close() {
        client.close();
        presigner.close();
    }
}
