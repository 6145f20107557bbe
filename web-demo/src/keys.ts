/** The worker: the only place where keys are. */
import { serve } from "keyward/worker";

serve();
