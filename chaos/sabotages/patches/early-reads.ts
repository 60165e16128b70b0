import { CheckpointedConsumer } from "../../../mixins/projection/checkpointed-consumer";
import { replaceMethod } from "../replace";

replaceMethod(CheckpointedConsumer.prototype, "reached", () => () => Promise.resolve());
