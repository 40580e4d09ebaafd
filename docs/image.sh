#!/bin/sh
# Makes an image with an AOT cache, made by the image's own java of the image's own jars, in which lies all that a cache
# depends on: target/jib-image.tar, or with --push the image NAME-amd64 or NAME-arm64 in its registry, since a cache is for
# one platform. On Linux, for this machine's platform: sh docs/image.sh amd64|arm64 [--push NAME] MAVEN-OPTIONS…
set -eu

usage='usage: sh docs/image.sh amd64|arm64 [--push NAME, such as registry.example/imagen:1] MAVEN-OPTIONS'
platform=${1:?$usage}
shift
goal=jib:buildTar
if [ "${1:-}" = --push ]; then
    name=${2:?$usage}
    shift 2
    set -- "$@" "-Dimage.name=$name-$platform"
    goal=jib:build
fi
case $platform in
amd64 | arm64) ;;
*)
    echo "$usage" >&2
    exit 1
    ;;
esac
build() {
    mvn -q "$@" -DskipTests -Djib.from.platforms="linux/$platform"
}

rm -rf target/image target/image.aot
build -Pimage package jib:buildTar "$@"
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
build -Pimage,aot package "$goal" "$@"
