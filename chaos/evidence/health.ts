import { setTimeout as pause } from "node:timers/promises";
import type { FleetNode } from "../../fleet/fleet-node";
import type { Violation } from "../checks/evidence";

interface Health {
  readonly status: string;
  readonly checks: Readonly<Record<string, { readonly status: string; readonly position?: number }>>;
}

/** What a node says of itself. @throws Error when it does not answer. */
export async function healthOf({ opsUrl }: Pick<FleetNode, "opsUrl">): Promise<Health> {
  return (await (await fetch(`${opsUrl}/api/v1/health`)).json()) as Health;
}

/** The same, also of a node that says nothing. */
async function saidBy(node: FleetNode): Promise<Health> {
  return healthOf(node).catch((error: unknown) => ({
    status: "silent",
    checks: { answer: { status: String(error) } },
  }));
}

/** Nodes that do not report to be well again in time. */
export async function unwell(nodes: readonly FleetNode[], patience_ms: number): Promise<Violation[]> {
  const deadline = performance.now() + patience_ms;
  const violations: Violation[] = [];
  for (const node of nodes) {
    let health = await saidBy(node);
    while (health.status !== "up" && performance.now() < deadline) {
      await pause(500);
      health = await saidBy(node);
    }
    if (health.status === "up") continue;
    const ill = Object.entries(health.checks).filter(([, { status }]) => !["up", "off"].includes(status));
    violations.push({
      promise: "node.unwell",
      detail: `${node.id}: ${JSON.stringify(Object.fromEntries(ill))}`,
    });
  }
  return violations;
}
