package dev.imagen.backend.comfyui;

import dev.imagen.backend.InputPicture;
import dev.imagen.backend.remote.Multipart;
import dev.imagen.backend.remote.RemoteServer;
import dev.imagen.job.JobFailedException;
import java.util.UUID;

/** Puts a picture into the server's folder of inputs, once however often it is begun with. */
final class Upload {

    private static final String FOLDER = "imagen";

    /** Of an answer, which names a file. */
    private static final int MOST_BYTES = 64 * 1024;

    private Upload() {}

    /** @return the file as the node LoadImage names it */
    static String send(RemoteServer server, InputPicture picture) throws JobFailedException, InterruptedException {
        // By its content: where that is the same, the server keeps one file, and else gives it another name.
        var fileName = UUID.nameUUIDFromBytes(picture.bytes()) + "."
                + picture.mimeType().substring(picture.mimeType().indexOf('/') + 1);
        var form = new Multipart().field("type", "input").field("subfolder", FOLDER).file("image", fileName,
                picture.mimeType(), picture.bytes());
        var answer = server.post("/upload/image", form.content(), MOST_BYTES);
        if (!answer.ok()) {
            throw server.failure(answer,
                    "the picture to begin with was not taken" + (answer.said().isEmpty() ? "" : ": " + answer.said()));
        }
        var name = answer.json().path("name").asText("");
        if (name.isEmpty()) {
            throw server.permanent("the answer to the picture to begin with names no file");
        }
        var folder = answer.json().path("subfolder").asText("");
        return folder.isEmpty() ? name : folder + "/" + name;
    }
}
