import type { CommandIdentity } from "../mixins/contract/caller";
import { SYSTEM } from "../mixins/contract/caller";
import type { ActionContract, ParamsOf } from "../mixins/contract/contract";
import { act } from "../mixins/contract/implement";
import { isRefusal, refusalOf, type Refusal } from "../mixins/contract/refusal";
import { derivedUuid } from "../mixins/derived-id";
import type { Runtime } from "../mixins/runtime";
import type { AuthRoom } from "../services/auth/auth-room";
import { openBranch } from "../services/branch/branch.contract";
import { createLegalEntity } from "../services/branch/legal-entity.contract";
import { CameraRegistry } from "../services/camera/camera.registry";
import { seedMenu } from "../services/menu/menu.seed";
import { seedReviews } from "../services/shop/review.seed";
import { seedPosts } from "../services/views/post.seed";
import { BRANCHES, CAMERAS, LEGAL_ENTITY, PEOPLE, REVIEWS } from "./data";

/** One thing of the first data, and how to make it. */
interface Step {
  readonly identity: CommandIdentity;
  make(identity: CommandIdentity): Promise<unknown>;
}

/**
 * Gives a new chain its first data: a legal entity, two branches, a menu, posts, cameras, customers, staff and reviews. Nobody gets a
 * password.
 *
 * Safe at every start: each step is one command under an id of its own, so what was done stays done (also when people have
 * changed it since), and what an interrupted start left out is made up for. When all is there, it costs one query.
 */
export async function seedDemo(runtime: Runtime, room: AuthRoom): Promise<void> {
  const steps = demoSteps(runtime, room);
  const answered = new Set(
    (await runtime.log.findAnswers(steps.map(({ identity }) => identity.id))).map(({ id }) => id),
  );
  for (const step of steps) if (!answered.has(step.identity.id)) await step.make(step.identity);
}

function demoSteps(runtime: Runtime, room: AuthRoom): Step[] {
  return [
    step("legal entity", (identity) => asked(runtime, createLegalEntity, LEGAL_ENTITY, identity)),
    ...BRANCHES.map((branch) =>
      step(`branch ${branch.code}`, (identity) => asked(runtime, openBranch, branch, identity)),
    ),
    step("menu", (identity) => seedMenu(runtime, identity)),
    step("posts", (identity) => seedPosts(runtime, identity)),
    ...CAMERAS.map((camera) =>
      step(`camera ${camera.mac_address}`, async (command) =>
        tolerated(
          await new CameraRegistry(runtime).create(camera, SYSTEM, {
            command,
            meta: { actor: "system:seed" },
          }),
        ),
      ),
    ),
    ...PEOPLE.map((person) =>
      step(`user ${person.email}`, async (identity) =>
        tolerated(
          await room.accounts.create({ ...person, password_hash: null }, identity, { actor: "system:seed" }),
        ),
      ),
    ),
    step("reviews", (identity) => seedReviews(runtime, identity, REVIEWS)),
  ];
}

function step(name: string, make: Step["make"]): Step {
  return { identity: { id: derivedUuid(`seed ${name}`), fingerprint: "seed" }, make };
}

async function asked<C extends ActionContract>(
  { broker }: Runtime,
  contract: C,
  params: ParamsOf<C>,
  command: CommandIdentity,
): Promise<void> {
  try {
    await act(broker, contract, params, { meta: { caller: SYSTEM, command } });
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    tolerated(refusal);
  }
}

/** What exists by another way than the seed is the chain's own: the code, number or email is taken, and that is fine. */
function tolerated(outcome: Refusal | object): void {
  if (isRefusal(outcome) && outcome.refused !== "conflict")
    throw new Error(`The first data was refused: ${outcome.code} ${outcome.detail}`);
}
