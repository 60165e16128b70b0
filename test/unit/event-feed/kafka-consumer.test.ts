import { AssignerProtocol, type GroupMember } from "kafkajs";
import { everythingToEverybody } from "../../../mixins/event-feed/kafka-consumer";

const assigner = everythingToEverybody({} as never);

/** A member that has subscribed to a topic, as the group's leader hears of it. */
const member = (memberId: string, topic: string): GroupMember => ({
  memberId,
  memberMetadata: assigner.protocol({ topics: [topic] }).metadata,
});

test("every member gets every partition of the topic that it has subscribed to", async () => {
  const members = [member("a", "pizza-orders"), member("b", "pizza-orders"), member("c", "other")];
  const given = await assigner.assign({ members, topics: ["pizza-orders"] });
  const all = Array.from({ length: 16 }, (_, partition) => partition);
  expect(
    given.map(({ memberId, memberAssignment }) => [
      memberId,
      AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment,
    ]),
  ).toEqual([
    ["a", { "pizza-orders": all }],
    ["b", { "pizza-orders": all }],
    ["c", { other: all }],
  ]);
});
