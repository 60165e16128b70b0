import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePort } from "../../fleet/servers/free-port";
import { ServerProcess } from "../../fleet/servers/server-process";

const NGINX = "/usr/sbin/nginx";
const SHIPPED = path.resolve(__dirname, "../../deploy/nginx");

/** Where a gateway listens on this machine. */
export interface GatewayPorts {
  readonly http: number;
  readonly grpc: number;
}

/** An nginx under test: the shipped configuration, with other ports, and other addresses behind it. */
export interface NginxUnderTest {
  readonly url: string;
  readonly port: number;
  readonly grpcPort: number;
  stop(): Promise<void>;
}

/** False, and said loudly, where nginx is not installed. */
export function hasNginx(): boolean {
  const found = existsSync(NGINX);
  if (!found) console.warn("NOT TESTED: nginx is not installed (Debian: apt-get install nginx-light).");
  return found;
}

/** Puts a real nginx in front of two gateways. */
export async function startNginx(gateways: readonly [GatewayPorts, GatewayPorts]): Promise<NginxUnderTest> {
  const folder = mkdtempSync(path.join(tmpdir(), "forno-nginx-"));
  // Its workers are not root.
  chmodSync(folder, 0o755);
  const [port, grpcPort] = [await freePort(), await freePort()];
  const main = readFileSync(path.join(SHIPPED, "nginx.conf"), "utf8")
    .replaceAll("/tmp/", `${folder}/`)
    .replace("listen 8080;", `listen 127.0.0.1:${String(port)};`)
    .replace("listen 50051 http2;", `listen 127.0.0.1:${String(grpcPort)} http2;`);
  const upstreams = gateways.reduce(
    (text, { http, grpc }, index) =>
      text
        .replaceAll(`gateway-${String(index + 1)}:8080`, `127.0.0.1:${String(http)}`)
        .replaceAll(`gateway-${String(index + 1)}:50051`, `127.0.0.1:${String(grpc)}`),
    // Debian's nginx is older than the image's; numbers need no resolving.
    readFileSync(path.join(SHIPPED, "forno-upstreams.conf"), "utf8").replaceAll(" resolve ", " "),
  );
  writeFileSync(path.join(folder, "nginx.conf"), main);
  writeFileSync(path.join(folder, "forno-upstreams.conf"), upstreams);
  const url = `http://127.0.0.1:${String(port)}`;
  const server = new ServerProcess({
    name: "nginx",
    command: NGINX,
    args: ["-p", folder, "-c", path.join(folder, "nginx.conf"), "-e", "stderr", "-g", "daemon off;"],
    folder,
    isReady: () =>
      fetch(`${url}/nginx-health`).then(
        ({ status }) => status === 204,
        () => false,
      ),
  });
  await server.start();
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, port, grpcPort, stop };
}
