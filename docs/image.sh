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
java_home=$PWD/target/image$(sed -n 's/.*"JAVA_HOME=\([^"]*\)".*/\1/p' target/image/config.json)
for layer in target/image/*.tar.gz; do
    # Where a layer has neither, tar complains; what is missing in all of them, the next lines miss.
    tar -xzf "$layer" -C target/image --wildcards 'app/*' "${java_home#"$PWD"/target/image/}/*" 2> /dev/null || true
done
if ! [ -x "$java_home/bin/java" ]; then
    echo "The base has no java where its JAVA_HOME says: a cache made by another one would not hold." >&2
    exit 1
fi
at() {
    sed "s|/app/|$PWD/target/image/$1/|g" "target/image/$1/jib-classpath-file" > target/image/classpath
}

at app
options="-XX:+UseSerialGC -XX:+UseCompactObjectHeaders -XX:MaxRAMPercentage=60 -cp @target/image/classpath dev.imagen.Main"
# shellcheck disable=SC2086
JAVA_HOME=$java_home sh docs/aot.sh target/image.aot $options
# In the image the jars are at another place: the cache must hold there.
mv target/image/app target/image/moved
at moved
# shellcheck disable=SC2086
"$java_home/bin/java" -XX:AOTMode=on -XX:AOTCache=target/image.aot $options --version
build -Pimage,aot "$@"
