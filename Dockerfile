# syntax=docker/dockerfile:1
# The runtime with this repository's streams/: `docker build -t millrace .`, then `docker run millrace --help`.

FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM node:22-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:22-bookworm-slim
# the second: turns wait for their commit, so young objects live longer than Node expects (docs/operations.md, Memory)
ENV NODE_ENV=production NODE_OPTIONS=--max-semi-space-size=64
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY streams ./streams
# Nothing below /app is written at run time: what must last is in the streams.
USER node
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["run"]
