# Debian, not Alpine: the QUIC bindings are built for glibc on x64 only.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm install --no-save --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY proto proto
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
# tini is process 1: process 1 of a container cannot be killed from inside, so not by its watchdog.
RUN apt-get update && apt-get install -y --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
COPY --from=build /app/proto /app/proto
COPY --from=build /app/package.json /app/package.json
# What a gateway keeps over restarts, and the development certificates of a first run.
RUN mkdir /var/lib/gatesvr && chown node:node /var/lib/gatesvr
VOLUME /var/lib/gatesvr
WORKDIR /var/lib/gatesvr
USER node
EXPOSE 8453/udp 8453/tcp 8080/tcp 8092/tcp 9090/tcp
# Reads the configuration as serve does: a file is named to both by GATESVR_CONFIG. It takes 0.3 s of CPU: not more often.
HEALTHCHECK --interval=15s --timeout=5s --start-period=15s \
  CMD ["node", "/app/dist/cli/main.js", "healthcheck"]
ENTRYPOINT ["tini", "--", "node", "/app/dist/cli/main.js"]
CMD ["serve"]
