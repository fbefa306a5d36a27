// The official TypeScript SDK of Voyage AI, as a subject.
import { serve } from "./subject.mjs";

const { VoyageAIClient } = await import("voyageai");
serve((options) => new VoyageAIClient(options));
