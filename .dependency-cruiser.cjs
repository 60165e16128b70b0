/** The arrows of the house: services → mixins → entities; rooms know each other by contract only. */
module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "mixins-know-no-service",
      severity: "error",
      from: { path: "^mixins/" },
      to: { path: "^(services|seed|fleet|chaos|start|boot)" },
    },
    {
      name: "entities-know-nobody",
      severity: "error",
      from: { path: "^entities/" },
      to: { path: "^(services|mixins)/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "rooms-meet-by-contract",
      severity: "error",
      from: { path: "^services/([^/]+)/" },
      to: {
        path: "^services/([^/]+)/",
        pathNot: ["^services/$1/", "\\.(contract|events)\\.ts$", "^services/order/order\\.view\\.ts$"],
      },
    },
    {
      name: "deciders-are-pure",
      severity: "error",
      from: { path: "\\.decider\\.ts$" },
      to: {
        path: "node_modules|^mixins/(postgres|projection|process|rest|event-feed)",
        dependencyTypesNot: ["type-only"],
        pathNot: "luxon",
      },
    },
    {
      name: "product-needs-no-test",
      severity: "error",
      from: { pathNot: "^(test|bench|chaos)/" },
      to: { path: "^(test|bench|chaos)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    exclude: { path: "^(dist|test|web)/" },
  },
};
