const LIVES_MS = 12_000;

if (process.env["NODE_ID"] === "node-2")
  setTimeout(() => {
    // No goodbye, as when memory has run out.
    process.abort();
  }, LIVES_MS);
