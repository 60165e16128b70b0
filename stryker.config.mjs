/**
 * Mutants of the code that decides: each is a small wrong change that a unit test should notice. Which files are mutated is
 * said by scripts/test-mutation.mjs. @type {import("@stryker-mutator/core").PartialStrykerOptions}
 */
export default {
  testRunner: "jest",
  jest: { configFile: "jest.mutation.config.js", enableFindRelatedTests: true },
  coverageAnalysis: "perTest",
  // Tables and sentences: a message that reads otherwise is no wrong decision.
  mutator: { excludedMutations: ["StringLiteral"] },
  reporters: ["clear-text", "progress", "json"],
  jsonReporter: { fileName: "reports/mutation.json" },
  clearTextReporter: { allowColor: false, reportTests: false, reportScoreTable: true },
  thresholds: { high: 95, low: 90, break: 90 },
  concurrency: 2,
  timeoutMS: 20_000,
  tempDirName: ".stryker-tmp",
  disableTypeChecks: false,
};
