"""Is a night's input complete, which objects is it, and what came too late?"""
