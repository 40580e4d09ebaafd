package dev.imagen.database;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import javax.net.SocketFactory;

/**
 * Sockets for the LISTEN connection. After each notification the driver looks for another one by a read with a timeout
 * of one millisecond, the shortest that a socket has: every pickup would be late by that. On these sockets such a read
 * ends at once where no byte has come. The driver makes this class by its name.
 */
public final class ListenerSocketFactory extends SocketFactory {

    private static final int LOOK_MILLIS = 1;

    @Override
    public Socket createSocket() {
        return new PromptSocket();
    }

    private static final class PromptSocket extends Socket {
        @Override
        public InputStream getInputStream() throws IOException {
            return new PromptInputStream(this, super.getInputStream());
        }
    }

    private static final class PromptInputStream extends FilterInputStream {

        private final Socket socket;

        private PromptInputStream(Socket socket, InputStream in) {
            super(in);
            this.socket = socket;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            if (socket.getSoTimeout() == LOOK_MILLIS && available() == 0) {
                throw new SocketTimeoutException("no byte has come");
            }
            return super.read(bytes, offset, length);
        }
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        throw new UnsupportedOperationException("the driver connects unconnected sockets");
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress local, int localPort) throws IOException {
        return createSocket(host, port);
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return createSocket(host.getHostName(), port);
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) throws IOException {
        return createSocket(host.getHostName(), port);
    }
}
