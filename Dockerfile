# Build: dependencies without their install scripts, the Kafka binding (compiled against Debian's libraries when its ready
# binary cannot be downloaded), the example rules. Run: the same, without compilers, as the user node.
FROM node:20.19.5-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
    build-essential python3 zlib1g-dev libssl-dev libcurl4-openssl-dev libzstd-dev libsasl2-dev liblz4-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY engine/package.json engine/
COPY rules-as/package.json rules-as/
RUN npm install --no-save --no-audit --no-fund
COPY test/support/buildKafkaBinding.mjs test/support/
COPY engine/kafka/native engine/kafka/native/
RUN npm run kafka:build -- --compile
COPY . .
RUN npm run rules:build && node engine/weir.mjs --version

FROM node:20.19.5-bookworm-slim
# what the binding and librdkafka link to
RUN apt-get update && apt-get install -y --no-install-recommends \
    zlib1g libssl3 libcurl4 libzstd1 libsasl2-2 liblz4-1 ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && mkdir /data && chown node:node /data
WORKDIR /app
COPY --from=build /app /app
ENV NODE_ENV=production WEIR_DATA=/data RULES_DIR=/app/rules-as/examples/build
VOLUME /data
USER node
ENTRYPOINT ["node", "engine/weir.mjs"]
CMD ["start"]
