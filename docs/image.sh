#!/bin/sh
# Makes target/jib-image.tar with an AOT cache, made by the image's own java of the image's own jars, in which lies all that
# a cache depends on. On Linux, for this machine's platform: sh docs/image.sh amd64|arm64 MAVEN-OPTIONS…
set -eu

platform=${1:?usage: sh docs/image.sh amd64, or arm64}
shift
build() {
    mvn -q "$@" package jib:buildTar -DskipTests -Djib.from.platforms="linux/$platform"
}

rm -rf target/image target/image.aot
build -Pimage "$@"
mkdir target/image
tar -xf target/jib-image.tar -C target/image
for layer in target/image/*.tar.gz; do
    # Where a layer has neither, tar complains; what is missing in all of them, the start below does.
    tar -xzf "$layer" -C target/image --wildcards 'app/*' 'opt/java/*' 2> /dev/null || true
done
sed "s|/app/|$PWD/target/image/app/|g" target/image/app/jib-classpath-file > target/image/classpath
if [ -d target/image/opt/java/openjdk ]; then
    JAVA_HOME=$PWD/target/image/opt/java/openjdk
    export JAVA_HOME
fi
sh docs/aot.sh target/image.aot -XX:+UseSerialGC -XX:+UseCompactObjectHeaders -XX:MaxRAMPercentage=60 \
    -cp @target/image/classpath dev.imagen.Main
build -Pimage,aot "$@"
