# stakeout in a small image: not root, and the root file system may be read-only. State lies under /data.
ARG NODE_VERSION=24.21.0

FROM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-progress
COPY tsconfig.json tsconfig.build.json ./
COPY schemas ./schemas
COPY src ./src
RUN npm run -s build
# Only what runs stays: no development dependencies (the npm package "node" is one; the image has its own), of the native
# modules only the build for this machine, no compiler (a peer that only building needs), no type or source maps.
RUN npm prune --omit=dev --no-progress \
  && find node_modules -type d -path '*/prebuilds/*' ! -name "linux-$(node -p process.arch)" -prune -exec rm -rf {} + \
  && find node_modules -type f \( -name '*.bare' -o -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
  && rm -rf node_modules/typescript node_modules/@typescript

FROM node:${NODE_VERSION}-bookworm-slim AS runtime
LABEL org.opencontainers.image.title="stakeout" \
  org.opencontainers.image.description="Finds fraud in a stream of transactions while it happens" \
  org.opencontainers.image.licenses="Apache-2.0"
# What RocksDB's native module is linked against and the slim image need not have.
RUN apt-get update \
  && apt-get install -y --no-install-recommends libatomic1 libstdc++6 \
  && rm -rf /var/lib/apt/lists/* \
  && mkdir /data \
  && chown 1000:1000 /data
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY bin ./bin
COPY patterns ./patterns
COPY templates ./templates
COPY bench/patterns ./bench/patterns
COPY schemas ./schemas
COPY deploy/healthcheck.mjs ./deploy/
# The C library gives large pieces of memory back as soon as they are free, whatever was given back before: by itself it comes to keep
# batches of 20 MB in its heaps, which fray, and memory grows for half an hour.
ENV NODE_ENV=production \
  MALLOC_MMAP_THRESHOLD_=1048576 \
  MALLOC_TRIM_THRESHOLD_=8388608 \
  STAKEOUT_HTTP_HOST=0.0.0.0 \
  STAKEOUT_DATA_DIRECTORY=/data
VOLUME /data
EXPOSE 8080
USER 1000:1000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD ["node", "deploy/healthcheck.mjs"]
ENTRYPOINT ["node", "bin/stakeout.mjs"]
CMD ["start"]
