"""The approximations of a gain matrix of magnetoencephalography, and their study."""
