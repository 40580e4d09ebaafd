package dev.imagen.backend.remote;

import dev.imagen.job.JobFailedException;

/** The pictures of a server's answers. */
public final class RemotePictures {

    private final RemoteServer server;
    private final long mostBytes;

    /** @param mostBytes of a picture */
    public RemotePictures(RemoteServer server, long mostBytes) {
        this.server = server;
        this.mostBytes = mostBytes;
    }

    /** Bytes that a picture has at most as the answer's Base64. */
    public long encoded() {
        return mostBytes / 3 * 4 + 4;
    }

    /** The picture of a data URL, or at a URL of http or https: see {@link RemoteServer#download}. */
    public byte[] at(String url) throws JobFailedException, InterruptedException {
        return url.startsWith("data:") ? decoded(url) : server.download(url, mostBytes);
    }

    /** See {@link Base64Picture}. */
    public byte[] decoded(String base64) throws JobFailedException {
        return Base64Picture.read(base64)
                .orElseThrow(() -> server.temporary("the picture in the answer is damaged: it is no Base64"));
    }

    /** What is no JSON may have broken off on its way; what is, would be the same again. */
    public JobFailedException none(Answer answer) {
        var said = answer.said().isEmpty() ? "" : ": " + answer.said();
        return answer.json().isMissingNode()
                ? server.temporary("there is no JSON in the answer" + said)
                : server.permanent("there is no picture in the answer" + said);
    }
}
