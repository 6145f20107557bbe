import { serve } from "keyward/worker";

serve();
